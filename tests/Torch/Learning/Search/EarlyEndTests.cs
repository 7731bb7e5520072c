using DmlPipeline.Learning.Search;

namespace DmlPipeline.Tests.Torch.Learning.Search;

/// <summary>Successive halving and the median rule.</summary>
public sealed class EarlyEndTests
{
    [Fact]
    public void A_third_goes_on_each_time_for_three_times_as_long()
    {
        SuccessiveHalving.Plan(27).Select(round => (round.Entrants, Math.Round(9 * round.Share))).ShouldBe([(27, 1), (9, 3), (3, 9)]);
        SuccessiveHalving.Plan(4).Select(round => (round.Entrants, Math.Round(3 * round.Share))).ShouldBe([(4, 1), (1, 3)]);
        SuccessiveHalving.Plan(1).ShouldBe([new HalvingRound(1, 1)]);
    }

    [Fact]
    public void The_best_of_each_round_go_on_and_the_best_of_all_is_tried_in_full()
    {
        var results = new List<RoundResult>();
        while (SuccessiveHalving.Next(9, results) is { } next) results.Add(new RoundResult(next.Configuration, next.Round, next.Configuration == 3 ? double.NegativeInfinity : next.Configuration));

        results.Where(result => result.Round == 0).Select(result => result.Configuration).ShouldBe(Enumerable.Range(0, 9));
        results.Where(result => result.Round == 1).Select(result => result.Configuration).ShouldBe([6, 7, 8]);
        results.Where(result => result.Round == 2).Select(result => result.Configuration).ShouldBe([8]);
    }

    [Fact]
    public void A_trial_below_the_median_is_stopped_once_there_is_a_median()
    {
        var finished = Enumerable.Range(1, 5).Select(i => (IReadOnlyList<CurvePoint>)[new(0.3, i / 10.0), new(0.6, i / 5.0), new(1, 1)]).ToList();
        CurvePoint[] poor = [new(0.3, 0.25), new(0.6, 0.4)];

        // Averages up to 0.6: 0.15, 0.3, 0.45, 0.6, 0.75.
        MedianStopping.ShouldStop(finished, poor).ShouldBeTrue();
        MedianStopping.ShouldStop(finished, [new(0.3, 0.5), new(0.6, 0.2)]).ShouldBeFalse("its best counts");
        MedianStopping.ShouldStop(finished[..4], poor).ShouldBeFalse("four are too few");
        MedianStopping.ShouldStop(finished, [new(0.1, 0)]).ShouldBeFalse("it is too early");
        MedianStopping.ShouldStop(finished, []).ShouldBeFalse();
    }
}
