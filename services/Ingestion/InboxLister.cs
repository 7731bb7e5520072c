using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Ingestion;

/// <summary>
/// Lists the inbox at the start and from then on, and publishes ObjectDropped for what it has not seen. Events of the store only
/// make the next listing come sooner: they can be lost, doubled or late, a listing cannot.
/// </summary>
public sealed class InboxLister(Database database, IArtifactStore store, IBus bus, IOptions<InboxOptions> options, ILogger<InboxLister> logger) : BackgroundService
{
    private const int ObjectsPerMessage = 500;
    private static readonly TimeSpan WhileUnsettled = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim hint = new(0, 1);
    private readonly HashSet<string> misplaced = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var watcher = Watch();
        while (!stoppingToken.IsCancellationRequested)
        {
            var unsettled = false;
            try
            {
                unsettled = await ListOnce(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.ListingFailed(e);
            }
            if (unsettled) await Task.Delay(WhileUnsettled, stoppingToken);
            else await hint.WaitAsync(TimeSpan.FromSeconds(options.Value.ListSeconds), stoppingToken);
        }
    }

    /// <returns>Whether objects wait to settle; they may still grow.</returns>
    private async Task<bool> ListOnce(CancellationToken cancel)
    {
        var known = (await database.Query<(string Key, string ETag)>("select key, etag from inbox_objects", null, cancel)).ToHashSet();
        var found = new Dictionary<string, List<DroppedObject>>(StringComparer.Ordinal);
        await foreach (var item in store.List("inbox/", cancel))
        {
            if (known.Contains((item.Key, item.ETag))) continue;
            var parts = item.Key.Split('/', 3);
            if (parts.Length < 3)
            {
                if (misplaced.Add(item.Key)) logger.Misplaced(item.Key);
                continue;
            }
            if (!found.TryGetValue(parts[1], out var objects)) found[parts[1]] = objects = [];
            objects.Add(new DroppedObject(item.Key, item.ETag, item.Bytes));
        }
        foreach (var (dataset, objects) in found)
            foreach (var chunk in objects.Chunk(ObjectsPerMessage))
                await bus.Publish(new ObjectDropped(dataset, chunk), cancel);
        return found.Count > 0 || await database.QueryOne<int>("select count(*) from inbox_objects where drop_id is null", null, cancel) > 0;
    }

    /// <summary>File events of a folder store. Where they cannot be had (too many folders), the listing alone finds everything.</summary>
    private FileSystemWatcher? Watch()
    {
        if (store is not FolderStore folder) return null;
        var inbox = Path.Combine(folder.Root, "inbox");
        Directory.CreateDirectory(inbox);
        try
        {
            var watcher = new FileSystemWatcher(inbox) { IncludeSubdirectories = true };
            watcher.Created += (_, _) => Hint();
            watcher.Changed += (_, _) => Hint();
            watcher.Renamed += (_, _) => Hint();
            watcher.Error += (_, _) => Hint();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException e)
        {
            logger.NotWatching(e, options.Value.ListSeconds);
            return null;
        }
    }

    private void Hint()
    {
        try
        {
            if (hint.CurrentCount == 0) hint.Release();
        }
        catch (SemaphoreFullException)
        {
            // Two events at once: the listing that they both ask for is already due.
        }
        catch (ObjectDisposedException)
        {
            // An event of the file system that arrived after the end.
        }
    }

    public override void Dispose()
    {
        hint.Dispose();
        base.Dispose();
    }
}
