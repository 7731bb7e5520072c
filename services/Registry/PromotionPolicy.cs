using DmlPipeline.Contracts;

namespace DmlPipeline.Registry;

/// <param name="Promote">Whether the challenger becomes the champion.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record PromotionDecision(bool Promote, string Reason);

/// <summary>Decides whether a new version becomes the champion: it must be better on the very same test split.</summary>
public static class PromotionPolicy
{
    public static PromotionDecision Decide(string metric, IReadOnlyDictionary<string, double> challenger, ChampionOnSameSplit? champion)
    {
        if (!challenger.TryGetValue(metric, out var reached) || !double.IsFinite(reached))
            return new PromotionDecision(false, $"{metric} was not measured, so the version cannot be compared");
        if (champion is null)
            return new PromotionDecision(true, $"first version: {metric} {reached:0.0000}, and there was no champion to beat");
        if (!champion.Metrics.TryGetValue(metric, out var bar) || !double.IsFinite(bar))
            return new PromotionDecision(false, $"the champion v{champion.Version} has no {metric} on this test split, so the two cannot be compared");
        return reached > bar
            ? new PromotionDecision(true, $"{metric} {reached:0.0000} beats {bar:0.0000} of v{champion.Version} on the same test split")
            : new PromotionDecision(false, $"{metric} {reached:0.0000} does not beat {bar:0.0000} of v{champion.Version} on the same test split");
    }
}
