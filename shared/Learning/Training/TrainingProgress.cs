namespace DmlPipeline.Learning.Training;

/// <summary>Where a run stands.</summary>
/// <param name="Epoch">Passes begun, from 1.</param>
/// <param name="Step">Batches learnt from.</param>
/// <param name="Fraction">0..1 of the epochs or of the budget.</param>
/// <param name="Loss">Mean of the current epoch so far.</param>
/// <param name="ValidationRecall1">Of the last validation; null before the first.</param>
/// <param name="ImagesPerSecond">Since the start or resume, validation included.</param>
/// <param name="SecondsLeft">At the present speed; null before it is known.</param>
/// <param name="WaitedShare">Share of the time that the trainer waited for images, 0..1.</param>
public sealed record TrainingProgress(
    int Epoch, long Step, double Fraction, double Loss, double? ValidationRecall1, double ImagesPerSecond, double? SecondsLeft, double WaitedShare);

/// <summary>One epoch: a line of metrics.jsonl.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Step">Batches learnt from when it ended.</param>
/// <param name="Loss">Mean over its steps.</param>
/// <param name="ActiveFraction">Share of anchors with a loss above 0.01.</param>
/// <param name="PositiveSimilarity">Mean cosine of images of one class within batches.</param>
/// <param name="NegativeSimilarity">Mean cosine of images of different classes within batches.</param>
/// <param name="LearningRate">At its end.</param>
/// <param name="ValidationRecall1">Null when the epoch was not validated.</param>
/// <param name="ValidationMapAtR">As <paramref name="ValidationRecall1"/>.</param>
/// <param name="Seconds">Trained in all when it ended.</param>
/// <param name="ImagesPerSecond">Since the start or resume.</param>
/// <param name="WaitedShare">Share of the time since the start or resume that the trainer waited for images.</param>
public sealed record EpochResult(
    int Epoch, long Step, double Loss, double ActiveFraction, double PositiveSimilarity, double NegativeSimilarity, double LearningRate,
    double? ValidationRecall1, double? ValidationMapAtR, double Seconds, double ImagesPerSecond, double WaitedShare);

/// <summary>How a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs or the whole budget.</summary>
    Completed,

    /// <summary>No better validation for long enough.</summary>
    StoppedEarly,

    /// <summary>Asked to stop; the checkpoint continues it.</summary>
    Cancelled,
}

/// <summary>What a run leaves behind.</summary>
/// <param name="End">How it ended.</param>
/// <param name="ModelPath">The final model: the best epoch by validation, or the last without one. Null when cancelled.</param>
/// <param name="CheckpointPath">The last checkpoint.</param>
/// <param name="Best">The epoch that the model is from; null when cancelled before the first epoch.</param>
/// <param name="History">All epochs.</param>
/// <param name="Seconds">Trained in all.</param>
public sealed record TrainingOutcome(
    TrainingEnd End, string? ModelPath, string CheckpointPath, EpochResult? Best, IReadOnlyList<EpochResult> History, double Seconds)
{
    /// <summary>SHA-256 of the file of weights that it began with; null when they were random.</summary>
    public string? PretrainedSha256 { get; init; }

    /// <summary>Which of two starts the model is from, <see cref="TrainingStarts.Warm"/> or <see cref="TrainingStarts.Scratch"/>; null when there was one.</summary>
    public string? Start { get; init; }

    /// <summary>MAP@R on validation of the start that was worse.</summary>
    public double? RivalMapAtR { get; init; }
}
