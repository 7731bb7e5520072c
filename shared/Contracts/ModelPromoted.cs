namespace DmlPipeline.Contracts;

/// <summary>Event: an alias now points at this version.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Version">Where the alias points now.</param>
/// <param name="Alias">Such as <c>champion</c>.</param>
/// <param name="PreviousVersion">Where it pointed; null when nowhere.</param>
/// <param name="RunId">The run that made the version.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Action"><c>promoted</c> by the gate, <c>approved</c>, <c>rolled-back</c> or <c>moved</c> by a person; null from versions that did not say.</param>
/// <param name="By">Who decided: <c>gate</c> or a person's name; null from versions that did not say.</param>
public sealed record ModelPromoted(
    string Model, int Version, string Alias, int? PreviousVersion, string RunId, string Reason, string? Action = null, string? By = null);
