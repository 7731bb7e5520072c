namespace DmlPipeline.Contracts;

/// <summary>Event: the challenger is good enough, but somebody has to approve it, or a required check has not been reported yet.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Version">The challenger; the alias <c>challenger</c> points at it while it waits.</param>
/// <param name="Alias">The alias that it waits for.</param>
/// <param name="ChampionVersion">Who has the alias now; null when nobody.</param>
/// <param name="RunId">The run that made the challenger.</param>
/// <param name="Reason">What it waits for, in a sentence.</param>
public sealed record PromotionWaiting(string Model, int Version, string Alias, int? ChampionVersion, string RunId, string Reason);
