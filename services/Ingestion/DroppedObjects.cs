using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Ingestion;

/// <summary>Publishes ObjectDropped for objects of the inbox that nobody has told of yet. A listing or an event has brought them to notice; here they are alike.</summary>
public sealed class DroppedObjects(Database database, IBus bus, ILogger<DroppedObjects> logger)
{
    /// <summary>Below it lies what is dropped, <c>inbox/&lt;dataset&gt;/…</c>.</summary>
    public const string Inbox = "inbox/";

    private const int ObjectsPerMessage = 500;

    // Whoever drops beside the folders may drop a million objects: the log is told of enough to see it.
    private const int MostTold = 1000;

    private readonly HashSet<string> misplaced = new(StringComparer.Ordinal);

    /// <param name="seen">As the store has them now; a thousand at most.</param>
    /// <param name="cancel">Ends the waiting for the broker.</param>
    /// <returns>How many of them are new.</returns>
    public async Task<int> Announce(IReadOnlyCollection<StoredObject> seen, CancellationToken cancel)
    {
        if (seen.Count == 0) return 0;
        var known = (await database.Query<(string Key, string ETag)>(
            $"select key, etag from inbox_objects where key {database.IsAnyOf("@keys")}", new { keys = seen.Select(item => item.Key).ToArray() }, cancel)).ToHashSet();
        var count = 0;
        foreach (var dataset in seen.Where(item => !known.Contains((item.Key, item.ETag)) && IsInPlace(item.Key)).GroupBy(item => item.Key.Split('/', 3)[1], StringComparer.Ordinal))
            foreach (var objects in dataset.Chunk(ObjectsPerMessage))
            {
                await bus.Publish(new ObjectDropped(dataset.Key, [.. objects.Select(item => new DroppedObject(item.Key, item.ETag, item.Bytes))]), cancel);
                count += objects.Length;
            }
        return count;
    }

    /// <summary>Says once of an object that lies in no dataset's folder that it does.</summary>
    private bool IsInPlace(string key)
    {
        if (key.Split('/', 3).Length == 3) return true;
        bool isFirst;
        lock (misplaced) isFirst = misplaced.Count < MostTold && misplaced.Add(key);
        if (isFirst) logger.Misplaced(key);
        return false;
    }
}
