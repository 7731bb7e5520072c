using DmlPipeline.Chaos.Rig;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Care;

namespace DmlPipeline.Chaos.Checks;

/// <summary>As <c>dml verify</c> and <c>dml gc --dry-run</c> look at the bucket.</summary>
internal static class StoreChecks
{
    // Nothing is at work any more: whatever nobody needs is an orphan, however young.
    private static readonly TimeSpan NoGrace = TimeSpan.Zero;

    public static async Task<IReadOnlyList<Check>> Of(Pipeline pipeline, CancellationToken cancel)
    {
        var references = (await StoredReferences.All(pipeline.Database, cancel)).Values;
        var verified = await StoreVerification.Run(references, pipeline.Store, progress: null, cancel);
        var garbage = await GarbageCollection.Find(pipeline.Database, pipeline.Store, NoGrace, new CheckpointRetention(For: TimeSpan.FromDays(1), Last: 1), cancel);
        return
        [
            new("objects that are as recorded", references.Count(), verified.Objects + verified.WithoutHash, [.. verified.Problems.Select(problem => $"{problem.Key} is {problem.Problem}: {problem.Detail} ({problem.Of})")]),
            // An attempt that was cut off, or judged against a champion of yesterday, leaves what it wrote beside what counts, for `dml gc`.
            new("left for dml gc by attempts that did not count", Expected: null, garbage.Count(IsOfAnAttempt), []),
            Check.None("orphans", garbage.Where(item => !IsOfAnAttempt(item)).Select(item => $"{item.Key}: {item.Reason}")),
        ];
    }

    private static bool IsOfAnAttempt(Garbage item) =>
        item.Key.Split('/') is ["runs", _, "models", ..] || item.Key.StartsWith("runs/", StringComparison.Ordinal) && ContentNames.IsOne(item.Key)
        || item.Key.StartsWith("models/", StringComparison.Ordinal) && item.Key.Contains("/comparison-", StringComparison.Ordinal);
}
