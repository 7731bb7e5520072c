using DmlPipeline.Contracts;
using DmlPipeline.Registry;

namespace DmlPipeline.Tests.Services.Registry;

public class PromotionPolicyTests
{
    [Theory]
    [InlineData(0.5, null, true, "first version")]
    [InlineData(0.0, null, true, "first version")]
    [InlineData(0.5, 0.4, true, "map@r 0.5000 beats 0.4000 of v7 on the same test split")]
    [InlineData(0.5, 0.5, false, "does not beat 0.5000 of v7")]
    [InlineData(0.4, 0.5, false, "does not beat 0.5000 of v7")]
    [InlineData(0.5, 0.49999999, true, "beats")]
    [InlineData(double.NaN, null, false, "was not measured")]
    [InlineData(double.NaN, 0.1, false, "was not measured")]
    [InlineData(double.PositiveInfinity, 0.1, false, "was not measured")]
    [InlineData(0.5, double.NaN, false, "the champion v7 has no map@r")]
    public void A_version_is_promoted_when_it_is_measurably_better(double challenger, double? champion, bool promote, string reason)
    {
        var decision = PromotionPolicy.Decide("map@r", Metrics("map@r", challenger), champion is { } bar ? new ChampionOnSameSplit(7, Metrics("map@r", bar)) : null);

        decision.Promote.ShouldBe(promote);
        decision.Reason.ShouldContain(reason);
    }

    [Fact]
    public void A_metric_that_one_of_them_lacks_promotes_nobody()
    {
        PromotionPolicy.Decide("map@r", Metrics("recall@1", 1), champion: null).Promote.ShouldBeFalse();
        PromotionPolicy.Decide("map@r", Metrics("map@r", 1), new ChampionOnSameSplit(7, Metrics("recall@1", 0))).Promote.ShouldBeFalse();
    }

    private static Dictionary<string, double> Metrics(string name, double value) => new(StringComparer.Ordinal) { [name] = value };
}
