namespace DmlPipeline.Contracts;

/// <summary>Event: the challenger did not beat the champion, or could not be compared.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Version">The challenger.</param>
/// <param name="Alias">The alias that stays where it is.</param>
/// <param name="ChampionVersion">Where it stays; null when no version has it.</param>
/// <param name="RunId">The run that made the challenger.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record PromotionRefused(string Model, int Version, string Alias, int? ChampionVersion, string RunId, string Reason);
