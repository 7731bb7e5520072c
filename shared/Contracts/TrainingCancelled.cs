namespace DmlPipeline.Contracts;

/// <summary>Event: a run was cancelled; it can be resumed.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Dataset">Dataset name.</param>
/// <param name="DatasetVersion">Dataset version number.</param>
/// <param name="Checkpoint">Where it goes on from; null when it was cancelled before it began.</param>
public sealed record TrainingCancelled(string RunId, string Dataset, int DatasetVersion, string? Checkpoint);
