using DmlPipeline.Storage.State;

namespace DmlPipeline.Storage.Care;

/// <param name="Key">The object.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Reason">Why nothing needs it.</param>
public sealed record Garbage(string Key, long Bytes, string Reason);

/// <summary>Which ended runs keep the checkpoint that they could go on from.</summary>
/// <param name="For">For how long after its end every run does.</param>
/// <param name="Last">How many of a dataset's newest runs do, however old.</param>
/// <remarks>So do runs that became a version with an alias, such as the champion, and all runs that have not ended.</remarks>
public sealed record CheckpointRetention(TimeSpan For, int Last);

/// <summary>
/// Finds what nothing in the state leads to: shards of builds that lost or died, files of model versions that were never registered, folders
/// of runs that do not exist, and checkpoints that no training will go on from. The inbox is its owners' and is left alone.
/// </summary>
public static class GarbageCollection
{
    /// <summary>What was written a shorter time ago may belong to work under way.</summary>
    public static readonly TimeSpan DefaultAge = TimeSpan.FromDays(1);

    private static readonly string[] Prefixes = ["datasets/", "models/", "quarantine/", "runs/"];

    /// <param name="database">The state.</param>
    /// <param name="store">Where the objects are.</param>
    /// <param name="olderThan">Objects younger than this stay.</param>
    /// <param name="checkpoints">Which checkpoints stay.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<IReadOnlyList<Garbage>> Find(
        Database database, IArtifactStore store, TimeSpan olderThan, CheckpointRetention checkpoints, CancellationToken cancel)
    {
        var now = DateTimeOffset.UtcNow;
        // The listing first: what is written and noted in the state after it is not in it, and what it shows is noted by now or not at all.
        var listed = new List<StoredObject>();
        foreach (var prefix in Prefixes)
            await foreach (var item in store.List(prefix, cancel))
                if (now - item.LastModified >= olderThan) listed.Add(item);
        var state = await Reachable.Read(database, checkpoints, cancel);
        return [.. listed.Select(item => (item, Reason: state.WhyNot(item.Key))).Where(pair => pair.Reason is not null).Select(pair => new Garbage(pair.item.Key, pair.item.Bytes, pair.Reason!))];
    }

    /// <summary>Deletes what was found, unless it was replaced since.</summary>
    /// <returns>Objects and bytes that are gone.</returns>
    public static async Task<(int Objects, long Bytes)> Delete(
        Database database, IArtifactStore store, IReadOnlyList<Garbage> garbage, TimeSpan olderThan, CheckpointRetention checkpoints, Action<int>? progress, CancellationToken cancel)
    {
        // Looked at again: a run may have been resumed, or a version built, while someone read the list.
        var state = await Reachable.Read(database, checkpoints, cancel);
        var (objects, bytes) = (0, 0L);
        foreach (var item in garbage)
        {
            if (state.WhyNot(item.Key) is null) continue;
            // Content-named objects are written again, under the same key, by whoever makes the same content again.
            if (await store.Find(item.Key, cancel) is not { } there || DateTimeOffset.UtcNow - there.LastModified < olderThan) continue;
            await store.Delete(item.Key, cancel);
            objects++;
            bytes += item.Bytes;
            progress?.Invoke(objects);
        }
        return (objects, bytes);
    }

    /// <summary>What the state leads to.</summary>
    private sealed record Reachable(
        IReadOnlyDictionary<string, StoredReference> References, IReadOnlyDictionary<string, RunRow> Runs, IReadOnlySet<string> Drops,
        IReadOnlySet<string> ModelsAtWork, IReadOnlySet<string> DatasetsAtWork,
        DateTimeOffset CheckpointsUntil, IReadOnlySet<string> KeepCheckpoints)
    {
        public static async Task<Reachable> Read(Database database, CheckpointRetention checkpoints, CancellationToken cancel)
        {
            var runs = (await database.Runs(dataset: null, cancel)).ToDictionary(run => run.Id, StringComparer.Ordinal);
            var drops = await database.Drops(dataset: null, cancel);
            var pending = await database.Query<string>("select 'models/' || model || '/v' || cast(version as text) || '/' from model_versions where state = 'pending'", null, cancel);
            var kept = (await database.Query<string>(
                "select m.run_id from aliases a join model_versions m on m.model = a.model and m.version = a.version", null, cancel)).ToHashSet(StringComparer.Ordinal);
            foreach (var ofDataset in runs.Values.GroupBy(run => run.Dataset, StringComparer.Ordinal))
                kept.UnionWith(ofDataset.OrderByDescending(run => run.CreatedAt).Take(checkpoints.Last).Select(run => run.Id));
            return new Reachable(
                await StoredReferences.All(database, cancel), runs, drops.Select(drop => drop.Id).ToHashSet(StringComparer.Ordinal), pending.ToHashSet(StringComparer.Ordinal),
                drops.Where(drop => drop.State == "settled").Select(drop => drop.Dataset).ToHashSet(StringComparer.Ordinal),
                DateTimeOffset.UtcNow - checkpoints.For, kept);
        }

        /// <returns>Null when the object is needed.</returns>
        public string? WhyNot(string key)
        {
            if (References.ContainsKey(key)) return null;
            var parts = key.Split('/');
            return parts switch
            {
                ["runs", var id, ..] when !Runs.ContainsKey(id) => "there is no such run",
                ["runs", var id, "checkpoints", ..] => WhyNoCheckpoint(Runs[id]),
                ["runs", var id, "models", ..] => WhyNoModel(Runs[id]),
                ["runs", var id, var file] when ContentNames.IsOne(file) && HasEnded(Runs[id]) => "another attempt at the run counts",
                ["runs", ..] => null,
                // A version that is being built has objects before it has a manifest.
                ["datasets", var dataset, ..] => DatasetsAtWork.Contains(dataset) ? null : "no dataset version uses it",
                ["quarantine", _, var drop, ..] => Drops.Contains(drop) ? null : "there is no such drop",
                ["models", var model, var version, ..] when ModelsAtWork.Contains($"models/{model}/{version}/") => null,
                ["models", ..] => "no registered version uses it",
                _ => null,
            };
        }

        /// <summary>Each attempt writes its model beside the others'; of one that lost its lease meanwhile nothing knows.</summary>
        private static string? WhyNoModel(RunRow run) => run.State is "evaluated" or "registered" ? "another attempt of the run was taken" : null;

        private string? WhyNoCheckpoint(RunRow run) => KeepCheckpoints.Contains(run.Id) ? null : run.State switch
        {
            "registered" => Old(run) ? "the run is registered" : null,
            // A cancelled or failed run can be resumed: its checkpoint stays until its time is over.
            "cancelled" or "failed" => Old(run) ? $"the run was {run.State} and not resumed" : null,
            _ => null,
        };

        private static bool HasEnded(RunRow run) => run.State is "registered" or "cancelled" or "failed";

        private bool Old(RunRow run) => run.FinishedAt is { } end && DateTimeOffset.FromUnixTimeMilliseconds(end) < CheckpointsUntil;
    }
}
