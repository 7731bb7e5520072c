using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Ingestion;

/// <summary>Turns objects that have come to rest into a drop and asks, with PrepareDataset, that a dataset version be built from it.</summary>
public sealed class DropSettler(
    Database database, IArtifactStore store, IOptions<InboxOptions> options, IOptions<IngestionOptions> ingestion, ILogger<DropSettler> logger) : BackgroundService
{
    /// <summary>An object of this name says that the drop is complete.</summary>
    public const string Ready = "_READY";

    // Marks rows of objects that were overwritten before their drop settled.
    private const string Superseded = "superseded";

    // Most of the settling of a small drop is waiting, for the listing and for the commit.
    private const int SettledAtOnce = 8;
    private const int ComparedTogether = 1000;

    // To look at a million objects that have not settled takes long: no more than a fifth of the time is spent on it.
    private const int PausePerLook = 4;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = LookEvery;
            try
            {
                var begun = Stopwatch.GetTimestamp();
                var settled = await Settled(stoppingToken);
                pause = Stopwatch.GetElapsedTime(begun) * PausePerLook is var longer && longer > pause ? longer : pause;
                await Parallel.ForEachAsync(
                    settled, new ParallelOptions { MaxDegreeOfParallelism = SettledAtOnce, CancellationToken = stoppingToken }, async (dataset, cancel) => await Settle(dataset, cancel));
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.SettlingFailed(e);
            }
            await Task.Delay(pause, stoppingToken);
        }
    }

    private async Task<IEnumerable<string>> Settled(CancellationToken cancel) =>
        await database.Query<string>(
            """
            select dataset from inbox_objects o where drop_id is null and not exists (select 1 from inbox_holds h where h.dataset = o.dataset and held_until > @now)
            group by dataset having max(seen_at) <= @quietSince or max(case when key like '%/' || @Ready escape '\' then 1 else 0 end) = 1
            """,
            new { now = Database.Now, quietSince = Database.Now - (long)(options.Value.SettleSeconds * 1000), Ready = Ready.Replace("_", @"\_", StringComparison.Ordinal) },
            cancel);

    private async Task Settle(string dataset, CancellationToken cancel)
    {
        // Here the trace begins that leads to the model.
        using var activity = Tracing.Source.StartActivity($"settle {dataset}");
        // Only what is there now belongs to the drop: an upload that grew has left rows of its earlier states behind.
        var begun = Database.Now;
        using var listing = await InboxListing.Of(store, dataset, ingestion.Value.TemporaryFolder, cancel);

        await database.Write(async transaction =>
        {
            if (await transaction.QueryOne<int>("select count(*) from inbox_holds where dataset = @dataset and held_until > @now", new { dataset, now = Database.Now }) > 0) return;
            // The listing runs ahead of the messages. Quiet it is only when there is nothing that they have not told of; with the
            // mark, whatever lies there belongs to the drop.
            var newObjects = await RememberListed(transaction, dataset, listing);
            if (newObjects > 0 && !listing.HasMark) return;
            // What came after the listing is not superseded but news: the next look sees it.
            if (await transaction.QueryOne<int>("select count(*) from inbox_objects where dataset = @dataset and drop_id is null and seen_at >= @begun", new { dataset, begun }) > newObjects) return;
            // Earlier drops that were too small to build from join this one.
            await transaction.Execute(
                """
                update inbox_objects set drop_id = null where drop_id in (select id from drops where dataset = @dataset and state = 'waiting');
                update drops set state = 'merged' where dataset = @dataset and state = 'waiting';
                """, new { dataset });
            var (objects, bytes, superseded) = (0, 0L, new List<(string Key, string ETag)>());
            // The same objects make the same drop, however often they are listed.
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes(dataset));
            var pending = transaction.Stream(
                "select key, etag, bytes from inbox_objects where dataset = @dataset and drop_id is null order by key", new { dataset },
                row => (Key: row.GetString(0), ETag: row.GetString(1), Bytes: row.GetInt64(2)));
            await foreach (var item in pending)
            {
                if (listing.ETagOf(item.Key) != item.ETag)
                {
                    superseded.Add((item.Key, item.ETag));
                    continue;
                }
                (objects, bytes) = (objects + 1, bytes + item.Bytes);
                hash.AppendData(Encoding.UTF8.GetBytes($"\n{item.Key}\t{item.ETag}"));
            }
            foreach (var (key, etag) in superseded)
                await transaction.Execute("update inbox_objects set drop_id = @Superseded where key = @key and etag = @etag", new { key, etag, Superseded });
            if (objects == 0) return;
            var id = Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
            await transaction.Execute("update inbox_objects set drop_id = @id where dataset = @dataset and drop_id is null", new { id, dataset });

            await transaction.Execute(
                """
                insert into drops (id, dataset, state, objects, bytes, created_at) values (@id, @dataset, 'settled', @objects, @bytes, @now)
                on conflict do nothing
                """,
                new { id, dataset, objects, bytes, now = Database.Now });
            await transaction.Publish(new PrepareDataset(id, dataset));
            logger.Settled(id, dataset, objects);
        }, cancel);
    }

    /// <returns>How many of them had not been seen.</returns>
    private async Task<int> RememberListed(Transaction transaction, string dataset, InboxListing listing)
    {
        var unseen = 0;
        foreach (var some in listing.All().Chunk(ComparedTogether))
        {
            // By their keys, and not by the dataset's name: whatever was ever dropped is remembered.
            var known = (await transaction.Query<(string Key, string ETag)>(
                $"select key, etag from inbox_objects where key {database.IsAnyOf("@keys")}", new { keys = some.Select(item => item.Key).ToArray() })).ToHashSet();
            var news = some.Where(item => !known.Contains((item.Key, item.ETag))).ToList();
            await transaction.RememberObjects(dataset, news);
            unseen += news.Count;
        }
        return unseen;
    }
}
