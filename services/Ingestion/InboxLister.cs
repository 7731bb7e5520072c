using System.Diagnostics;
using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Ingestion;

/// <summary>
/// Lists the inbox at the start and from then on. Events of the file system only make the next listing come sooner, and those of a
/// bucket go their own way (<see cref="Events.ObjectEventListener"/>): they can be lost, doubled or late, a listing cannot.
/// </summary>
public sealed class InboxLister(Database database, IArtifactStore store, DroppedObjects dropped, IOptions<InboxOptions> options, ILogger<InboxLister> logger) : BackgroundService
{
    // As many as a page of a bucket's listing: memory stays the same however full the inbox is.
    private const int ComparedTogether = 1000;

    // Of a full inbox a listing takes long: no more than a fifth of the time is spent on it.
    private const int PausePerListing = 4;
    private static readonly TimeSpan WhileUnsettled = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim hint = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var watcher = Watch();
        while (!stoppingToken.IsCancellationRequested)
        {
            var unsettled = false;
            var begun = Stopwatch.GetTimestamp();
            try
            {
                unsettled = await ListOnce(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.ListingFailed(e);
            }
            var pause = Stopwatch.GetElapsedTime(begun) * PausePerListing;
            if (unsettled) await Task.Delay(pause > WhileUnsettled ? pause : WhileUnsettled, stoppingToken);
            else await hint.WaitAsync(TimeSpan.FromSeconds(options.Value.ListSeconds), stoppingToken);
        }
    }

    /// <returns>Whether objects wait to settle; they may still grow.</returns>
    private async Task<bool> ListOnce(CancellationToken cancel)
    {
        var isNew = false;
        await foreach (var page in store.List(DroppedObjects.Inbox, cancel).Chunk(ComparedTogether).WithCancellation(cancel))
            isNew |= await dropped.Announce(page, cancel) > 0;
        return isNew || await database.QueryOne<long?>("select 1 from inbox_objects where drop_id is null limit 1", null, cancel) is not null;
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
