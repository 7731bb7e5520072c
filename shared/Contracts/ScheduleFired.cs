namespace DmlPipeline.Contracts;

/// <summary>Event: a schedule's time came; it is to be decided whether to train.</summary>
/// <param name="Schedule">Name of the schedule.</param>
/// <param name="Time">The time that came; with the schedule's name it names the fire.</param>
/// <param name="Dataset">Dataset name.</param>
/// <param name="DatasetVersion">The dataset's latest version at that time.</param>
/// <param name="Recipe">A recipe's name or text, or nothing for the dataset's own.</param>
/// <param name="Force">Train, whatever the retraining policy says.</param>
/// <param name="Reason">Why it fired, in a sentence.</param>
public sealed record ScheduleFired(string Schedule, DateTimeOffset Time, string Dataset, int DatasetVersion, string Recipe, bool Force, string Reason);
