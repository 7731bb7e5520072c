namespace DmlPipeline.Contracts;

/// <summary>Event: a run finished; its weights are in the store.</summary>
public sealed record ModelTrained(string RunId, string Dataset, int DatasetVersion, ArtifactRef Weights, ArtifactRef Model);
