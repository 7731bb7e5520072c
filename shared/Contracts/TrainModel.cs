namespace DmlPipeline.Contracts;

/// <summary>Command: train a model.</summary>
/// <param name="RunId">Names the run everywhere; the same id never trains twice.</param>
/// <param name="Dataset">Dataset name.</param>
/// <param name="DatasetVersion">Dataset version number.</param>
/// <param name="Recipe">The training recipe as canonical JSON; or a built-in recipe's name, or nothing for the dataset's own, which the trainer settles.</param>
/// <param name="RequestedBy">Who or what asked, for example <c>new-data</c>, <c>schedule</c> or <c>cli</c>.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Priority"><c>high</c>, <c>normal</c> or <c>low</c>; null leaves it to who asked: a schedule's is low, all others are normal.</param>
public sealed record TrainModel(string RunId, string Dataset, int DatasetVersion, string Recipe, string RequestedBy, string Reason, string? Priority = null);
