using DmlPipeline.Benchmarks;
using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>The gate's error rates, simulated with fixed seeds; the benchmark <c>gate</c> does the same with more challengers and sizes.</summary>
public class GateErrorTests
{
    private static readonly GateRule Rule = new() { Resamples = 400 };

    [Theory]
    [InlineData(10)]
    [InlineData(36)]
    public void A_challenger_that_is_no_better_is_promoted_at_most_one_time_in_twenty(int classes) =>
        new GateSimulation(classes, Queries: 10, Seed: 1).Promoted(Rule, gain: 0, challengers: 1000).ShouldBeInRange(0.005, 0.05);

    [Fact]
    public void A_challenger_that_is_better_by_two_points_is_seldom_missed_with_a_hundred_classes() =>
        new GateSimulation(Classes: 100, Queries: 10, Seed: 2).Promoted(Rule, gain: 0.02, challengers: 400).ShouldBeGreaterThan(0.75);

    [Fact]
    public void Drawing_single_queries_promotes_by_luck_where_classes_win_together() =>
        new GateSimulation(Classes: 20, Queries: 20, Seed: 3).Promoted(Rule with { Over = DrawnUnit.Queries }, gain: 0, challengers: 400).ShouldBeGreaterThan(0.05);
}
