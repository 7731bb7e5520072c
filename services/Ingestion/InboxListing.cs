using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>What lay in a dataset's inbox when it was listed; on disk, since it may be millions.</summary>
internal sealed class InboxListing : IDisposable
{
    private readonly ScratchDatabase scratch;
    private readonly ScratchStatement etagOf;

    private InboxListing(ScratchDatabase scratch)
    {
        this.scratch = scratch;
        scratch.Execute("create table listed (key text primary key, etag text not null, bytes integer not null) without rowid");
        etagOf = scratch.Prepare("select etag from listed where key = $1");
    }

    /// <summary>Whether the mark is there that says that the drop is complete.</summary>
    public bool HasMark { get; private set; }

    public static async Task<InboxListing> Of(IArtifactStore store, string dataset, string temporaryFolder, CancellationToken cancel)
    {
        var listing = new InboxListing(new ScratchDatabase(temporaryFolder));
        try
        {
            var insert = listing.scratch.Prepare("insert into listed values ($1, $2, $3) on conflict do update set etag = excluded.etag, bytes = excluded.bytes");
            await foreach (var item in store.List(Drop.Prefix(dataset), cancel))
            {
                insert.Run(item.Key, item.ETag, item.Bytes);
                listing.HasMark |= item.Key.EndsWith($"/{DropSettler.Ready}", StringComparison.Ordinal);
            }
            return listing;
        }
        catch
        {
            listing.Dispose();
            throw;
        }
    }

    public IEnumerable<(string Key, string ETag, long Bytes)> All() =>
        scratch.Query("select key, etag, bytes from listed order by key", row => (row.GetString(0), row.GetString(1), row.GetInt64(2)));

    /// <returns>Null when it was not there.</returns>
    public string? ETagOf(string key) => (string?)etagOf.Value(key);

    public void Dispose() => scratch.Dispose();
}
