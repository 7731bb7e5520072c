namespace DmlPipeline.Contracts;

/// <summary>Event: an immutable dataset version exists.</summary>
public sealed record DatasetReady(string Dataset, int Version, ArtifactRef Manifest, string DropId);
