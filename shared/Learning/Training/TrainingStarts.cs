using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Training;

/// <summary>
/// Trains as the recipe says; where it begins both with an earlier model and from scratch, twice, one after the other, each in a folder of its own, and
/// keeps the model that is better on validation. Stopped at any moment, both go on from their checkpoints.
/// </summary>
public static class TrainingStarts
{
    /// <summary>Folders of the two trainings inside the job's.</summary>
    public const string Warm = "warm", Scratch = "scratch";

    private const string Metrics = "metrics.jsonl";

    /// <inheritdoc cref="TrainingLoop.Run(TrainingJob, CancellationToken)"/>
    public static TrainingOutcome Run(TrainingJob job, CancellationToken cancel)
    {
        // Without validation classes there is nothing to choose by: the earlier model has seen more.
        if (job.Recipe.WarmStart is not { AlsoFromScratch: true } start) return TrainingLoop.Run(job, cancel);
        if (job.Validation is not { } set || !ValidationScore.IsPossible(set)) return TrainingLoop.Run(job with { Recipe = job.Recipe with { WarmStart = start with { AlsoFromScratch = null } } }, cancel);

        var warm = TrainingLoop.Run(Part(job, Warm, start with { AlsoFromScratch = null }, first: 0), cancel);
        if (warm.End == TrainingEnd.Cancelled) return warm;
        var scratch = TrainingLoop.Run(Part(job, Scratch, start: null, first: 0.5), cancel);
        if (scratch.End == TrainingEnd.Cancelled) return scratch;

        var (kept, name, rival) = Better(warm, scratch) ? (warm, Warm, scratch) : (scratch, Scratch, warm);
        File.Copy(Path.Combine(job.Folder, name, Metrics), Path.Combine(job.Folder, Metrics), overwrite: true);
        return kept with { Seconds = warm.Seconds + scratch.Seconds, Start = name, RivalMapAtR = rival.Best?.ValidationMapAtR };
    }

    /// <summary>By the number that epochs are chosen by; where they are equal, the model that goes on from the earlier one stays.</summary>
    private static bool Better(TrainingOutcome warm, TrainingOutcome scratch) =>
        (warm.Best?.ValidationMapAtR, warm.Best?.ValidationRecall1).CompareTo((scratch.Best?.ValidationMapAtR, scratch.Best?.ValidationRecall1)) >= 0;

    private static TrainingJob Part(TrainingJob job, string folder, WarmStartSettings? start, double first) => job with
    {
        Recipe = job.Recipe with { WarmStart = start },
        Folder = Path.Combine(job.Folder, folder),
        Progressed = job.Progressed is not { } tell ? null
            : progress => tell(progress with { Fraction = first + (progress.Fraction / 2), SecondsLeft = progress.SecondsLeft + (first > 0 ? 0 : progress.SecondsLeft / Math.Max(1e-6, 1 - progress.Fraction)) }),
    };
}
