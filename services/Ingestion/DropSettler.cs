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
public sealed class DropSettler(Database database, IArtifactStore store, IOptions<InboxOptions> options, ILogger<DropSettler> logger) : BackgroundService
{
    /// <summary>An object of this name says that the drop is complete.</summary>
    public const string Ready = "_READY";

    // Marks rows of objects that were overwritten before their drop settled.
    private const string Superseded = "superseded";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var dataset in await Settled(stoppingToken)) await Settle(dataset, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.SettlingFailed(e);
            }
            await Task.Delay(LookEvery, stoppingToken);
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
        var listed = new List<StoredObject>();
        await foreach (var item in store.List($"inbox/{dataset}/", cancel)) listed.Add(item);
        var current = listed.ToDictionary(item => item.Key, item => item.ETag, StringComparer.Ordinal);

        await database.Write(async transaction =>
        {
            if (await transaction.QueryOne<int>("select count(*) from inbox_holds where dataset = @dataset and held_until > @now", new { dataset, now = Database.Now }) > 0) return;
            // The listing runs ahead of the messages. Quiet it is only when there is nothing that they have not told of; with the
            // mark, whatever lies there belongs to the drop.
            var newObjects = await RememberListed(transaction, dataset, listed);
            if (newObjects > 0 && !listed.Exists(item => item.Key.EndsWith($"/{Ready}", StringComparison.Ordinal))) return;
            // What came after the listing is not superseded but news: the next look sees it.
            if (await transaction.QueryOne<int>("select count(*) from inbox_objects where dataset = @dataset and drop_id is null and seen_at >= @begun", new { dataset, begun }) > newObjects) return;
            // Earlier drops that were too small to build from join this one.
            await transaction.Execute(
                """
                update inbox_objects set drop_id = null where drop_id in (select id from drops where dataset = @dataset and state = 'waiting');
                update drops set state = 'merged' where dataset = @dataset and state = 'waiting';
                """, new { dataset });
            var pending = (await transaction.Query<(string Key, string ETag, long Bytes)>(
                "select key, etag, bytes from inbox_objects where dataset = @dataset and drop_id is null order by key", new { dataset })).ToList();
            var members = pending.Where(item => current.GetValueOrDefault(item.Key) == item.ETag).ToList();
            var id = members.Count == 0 ? Superseded : DropId(dataset, members);
            foreach (var (key, etag, _) in pending)
                await transaction.Execute(
                    "update inbox_objects set drop_id = @drop where key = @key and etag = @etag",
                    new { key, etag, drop = current.GetValueOrDefault(key) == etag ? id : Superseded });
            if (members.Count == 0) return;

            await transaction.Execute(
                """
                insert into drops (id, dataset, state, objects, bytes, created_at) values (@id, @dataset, 'settled', @objects, @bytes, @now)
                on conflict do nothing
                """,
                new { id, dataset, objects = members.Count, bytes = members.Sum(item => item.Bytes), now = Database.Now });
            await transaction.Publish(new PrepareDataset(id, dataset));
            logger.Settled(id, dataset, members.Count);
        }, cancel);
    }

    /// <returns>How many of them had not been seen.</returns>
    private static async Task<int> RememberListed(Transaction transaction, string dataset, List<StoredObject> listed)
    {
        var known = (await transaction.Query<(string Key, string ETag)>("select key, etag from inbox_objects where dataset = @dataset", new { dataset })).ToHashSet();
        var unseen = listed.FindAll(item => !known.Contains((item.Key, item.ETag)));
        foreach (var item in unseen) await transaction.RememberObject(dataset, item.Key, item.ETag, item.Bytes);
        return unseen.Count;
    }

    /// <summary>The same objects make the same drop, however often they are listed.</summary>
    private static string DropId(string dataset, IEnumerable<(string Key, string ETag, long Bytes)> members)
    {
        var text = string.Join('\n', members.Select(item => $"{item.Key}\t{item.ETag}").Prepend(dataset));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
