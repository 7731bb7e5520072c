namespace DmlPipeline.Contracts;

/// <summary>Event: a drop made no dataset version; <paramref name="Reason"/> says why, in a sentence for its owner.</summary>
public sealed record DatasetRejected(string Dataset, string DropId, string Reason);
