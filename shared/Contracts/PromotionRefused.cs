namespace DmlPipeline.Contracts;

/// <summary>Event: the challenger did not beat the champion.</summary>
public sealed record PromotionRefused(string Model, int Version, string Alias, int ChampionVersion, string RunId, string Reason);
