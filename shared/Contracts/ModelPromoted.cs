namespace DmlPipeline.Contracts;

/// <summary>Event: an alias now points at this version.</summary>
public sealed record ModelPromoted(string Model, int Version, string Alias, int? PreviousVersion, string RunId, string Reason);
