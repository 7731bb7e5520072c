namespace DmlPipeline.Contracts;

/// <summary>Event: a run stopped on an error that repeating would not cure.</summary>
public sealed record TrainingFailed(string RunId, string Dataset, int DatasetVersion, string Reason);
