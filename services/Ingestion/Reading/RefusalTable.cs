using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Reading;

/// <summary>Everything of a drop that was refused; on disk.</summary>
internal sealed class RefusalTable
{
    private readonly ScratchDatabase scratch;
    private readonly ScratchStatement insert;
    private int count;
    private int sound;

    public RefusalTable(ScratchDatabase scratch)
    {
        this.scratch = scratch;
        scratch.Execute(
            """
            create table refusals (
                number integer not null, name text not null, reason text not null, class text, sound integer not null, bytes integer, digest blob, spool_offset integer)
            """);
        insert = scratch.Prepare("insert into refusals values ($1, $2, $3, $4, $5, $6, $7, $8)");
    }

    public int Count => count;

    /// <summary>How many of them are sound images, kept out for their labels' sake.</summary>
    public int Sound => sound;

    /// <summary>Thread-safe.</summary>
    public void Add(Refusal refusal)
    {
        insert.Run(
            refusal.Order, refusal.Name, refusal.Reason, refusal.Class, refusal.Sound, refusal.Content?.Bytes ?? refusal.Bytes,
            refusal.Content?.Digest.ToBytes(), refusal.Content?.SpoolOffset);
        Interlocked.Increment(ref count);
        if (refusal.Sound) Interlocked.Increment(ref sound);
    }

    public void AddRange(IEnumerable<Refusal> refusals)
    {
        foreach (var refusal in refusals) Add(refusal);
    }

    /// <summary>In the order of the drop, which is the same each time that it is read.</summary>
    public IEnumerable<Refusal> InOrder() => scratch.Query(
        "select number, name, reason, class, sound, bytes, digest, spool_offset from refusals order by number, name, reason", row =>
        {
            long? bytes = row.IsDBNull(5) ? null : row.GetInt64(5);
            var content = row.IsDBNull(6)
                ? null
                : new FileContent { Digest = Digest.FromBytes(row.GetFieldValue<byte[]>(6)), Bytes = bytes!.Value, SpoolOffset = row.GetInt64(7) };
            return new Refusal(row.GetInt32(0), row.GetString(1), row.GetString(2), content, row.IsDBNull(3) ? null : row.GetString(3), row.GetBoolean(4), bytes);
        });
}
