namespace DmlPipeline.Contracts;

/// <summary>Event: a model version is in the registry.</summary>
public sealed record ModelRegistered(string Model, int Version, string RunId, IReadOnlyDictionary<string, double> Metrics);
