namespace DmlPipeline.Contracts;

/// <summary>Event: a model was judged on classes that it never saw.</summary>
/// <param name="RunId">The run that trained the model.</param>
/// <param name="Dataset">Dataset name.</param>
/// <param name="DatasetVersion">The dataset version whose test split judged.</param>
/// <param name="Evaluation">The whole report.</param>
/// <param name="Metrics">Metric name to value.</param>
/// <param name="Champion">The champion of that moment, judged on the same test split; null when there was none.</param>
/// <param name="Comparison">A <see cref="Comparisons.ModelComparison"/>: both models query by query; null from versions that made none.</param>
public sealed record ModelEvaluated(
    string RunId, string Dataset, int DatasetVersion, ArtifactRef Evaluation, IReadOnlyDictionary<string, double> Metrics, ChampionOnSameSplit? Champion,
    ArtifactRef? Comparison = null);

/// <param name="Version">Model version of the champion.</param>
/// <param name="Metrics">Its metrics on the test split that judged the challenger.</param>
public sealed record ChampionOnSameSplit(int Version, IReadOnlyDictionary<string, double> Metrics);
