namespace DmlPipeline.Contracts;

/// <summary>Event: a run was cancelled after saving a checkpoint; it can be resumed.</summary>
public sealed record TrainingCancelled(string RunId, string Dataset, int DatasetVersion, string? Checkpoint);
