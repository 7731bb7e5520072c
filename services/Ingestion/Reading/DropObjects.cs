using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Reading;

/// <summary>The objects of a drop, on disk.</summary>
internal sealed class DropObjects
{
    private readonly ScratchDatabase scratch;
    private readonly string prefix;

    private DropObjects(ScratchDatabase scratch, string prefix) => (this.scratch, this.prefix) = (scratch, prefix);

    /// <summary>When the newest of them was stored; null when there is none.</summary>
    public DateTimeOffset? Newest { get; private set; }

    /// <exception cref="ArgumentException">An object does not lie below the prefix.</exception>
    public static async Task<DropObjects> Of(IAsyncEnumerable<StoredObject> objects, string prefix, ScratchDatabase scratch, CancellationToken cancel)
    {
        scratch.Execute("create table objects (path text primary key, bytes integer not null, etag text not null, modified integer not null) without rowid");
        var insert = scratch.Prepare("insert into objects values ($1, $2, $3, $4)");
        var all = new DropObjects(scratch, prefix);
        await foreach (var stored in objects.WithCancellation(cancel))
        {
            if (!stored.Key.StartsWith(prefix, StringComparison.Ordinal)) throw new ArgumentException($"The drop's object '{EntryPath.Display(stored.Key)}' does not lie under {prefix}.", nameof(objects));
            insert.Run(stored.Key[prefix.Length..], stored.Bytes, stored.ETag, stored.LastModified.UtcTicks);
            if (all.Newest is null || stored.LastModified > all.Newest) all.Newest = stored.LastModified;
        }
        return all;
    }

    /// <summary>With their paths below the prefix, in the order of these: the same drop is read alike each time.</summary>
    public IEnumerable<(string Path, StoredObject Object)> InOrder() => scratch.Query("select path, bytes, etag, modified from objects order by path", row =>
    {
        var path = row.GetString(0);
        return (path, new StoredObject(prefix + path, row.GetInt64(1), row.GetString(2), new DateTimeOffset(row.GetInt64(3), TimeSpan.Zero)));
    });
}
