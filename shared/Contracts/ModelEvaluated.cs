namespace DmlPipeline.Contracts;

/// <summary>Event: a model was judged on classes that it never saw.</summary>
public sealed record ModelEvaluated(
    string RunId, string Dataset, int DatasetVersion, ArtifactRef Evaluation, IReadOnlyDictionary<string, double> Metrics);
