using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>The gate is a function: these tests give it facts and look at the answer.</summary>
public class PromotionGateTests
{
    private const int Classes = 20, QueriesPerClass = 10;

    private static readonly GateRule Rule = new();

    [Fact]
    public void A_first_version_has_nobody_to_beat()
    {
        var decision = PromotionGate.Decide(Rule, Facts(null));

        (decision.Outcome, decision.Reason).ShouldBe((GateOutcome.Promote, "first version: map@r 0.6000, and there was no champion to beat"));
    }

    [Theory]
    [InlineData(0.02, GateOutcome.Promote)]
    [InlineData(0.0001, GateOutcome.Promote)]
    [InlineData(0, GateOutcome.Refuse)]
    [InlineData(-0.02, GateOutcome.Refuse)]
    public void A_gain_that_every_class_shows_is_certain_and_none_is_not(double gain, GateOutcome outcome) =>
        PromotionGate.Decide(Rule, Facts(_ => gain)).Outcome.ShouldBe(outcome);

    [Fact]
    public void A_gain_that_a_few_classes_make_may_be_luck()
    {
        var decision = PromotionGate.Decide(Rule, Facts(query => query / QueriesPerClass < 2 ? 0.3 : -0.02));

        decision.Outcome.ShouldBe(GateOutcome.Refuse);
        var gain = decision.Conditions[0];
        gain.Value!.Value.ShouldBe(0.012, 1e-9);
        gain.Low!.Value.ShouldBeLessThan(0);
        gain.High!.Value.ShouldBeGreaterThan(gain.Value.Value);
        decision.Reason.ShouldBe(gain.Detail);
        decision.Reason.ShouldContain("+1.20 points against v3 on the same test split (95 % interval -");
        decision.Reason.ShouldContain("may be no gain at all");
    }

    [Fact]
    public void The_same_differences_are_surer_when_queries_are_drawn_than_when_classes_are()
    {
        var facts = Facts(query => query / QueriesPerClass < 2 ? 0.3 : -0.02);

        var byClass = PromotionGate.Decide(Rule, facts).Conditions[0];
        var byQuery = PromotionGate.Decide(Rule with { Over = DrawnUnit.Queries }, facts).Conditions[0];

        byQuery.Value.ShouldBe(byClass.Value);
        (byQuery.High - byQuery.Low).ShouldNotBeNull().ShouldBeLessThan((byClass.High - byClass.Low)!.Value / 2);
    }

    [Fact]
    public void A_certain_gain_that_is_too_small_is_refused()
    {
        PromotionGate.Decide(Rule with { MinimumGain = 0.01 }, Facts(_ => 0.009)).Reason.ShouldContain("is less than the +1.00 points asked for");
        PromotionGate.Decide(Rule with { MinimumGain = 0.01 }, Facts(_ => 0.011)).Outcome.ShouldBe(GateOutcome.Promote);
    }

    [Fact]
    public void A_single_class_tells_nothing_of_others()
    {
        var facts = Facts(_ => 0.1);
        var split = facts.Comparison!.Splits[0];
        var single = facts with { Comparison = facts.Comparison with { Splits = [split with { Labels = [.. split.Labels.Select(_ => 0)] }] } };

        PromotionGate.Decide(Rule, single).Reason.ShouldContain("of fewer than two classes");
    }

    [Fact]
    public void A_metric_that_one_of_them_lacks_promotes_nobody()
    {
        PromotionGate.Decide(Rule with { Metric = "recall@1" }, Facts(_ => 0.1)).Reason.ShouldContain("recall@1 was not measured");
        var facts = Facts(_ => 0.1) with { Metrics = new Dictionary<string, double>(StringComparer.Ordinal) { ["nmi"] = 0.5 } };
        PromotionGate.Decide(Rule with { Metric = "nmi" }, facts).Reason.ShouldContain("nmi has no values per query of both v3 and this version");
    }

    [Fact]
    public void Values_beside_another_champion_count_for_nothing() =>
        PromotionGate.Decide(Rule, Facts(_ => 0.1) with { Champion = 4 }).Outcome.ShouldBe(GateOutcome.Refuse);

    [Theory]
    [InlineData(-0.005, GateOutcome.Promote)]
    [InlineData(-0.02, GateOutcome.Refuse)]
    public void What_is_better_on_the_grown_split_may_be_only_a_little_worse_on_the_frozen_one(double frozen, GateOutcome outcome)
    {
        var facts = Facts(_ => 0.05);
        var old = facts.Comparison!.Splits[0] with { Kind = SplitKinds.Frozen, DatasetVersion = 1 };
        var both = facts with { Comparison = facts.Comparison with { Splits = [facts.Comparison.Splits[0], Shift(old, frozen)] } };

        var decision = PromotionGate.Decide(Rule, both);

        decision.Outcome.ShouldBe(outcome);
        decision.Conditions.Single(condition => condition.Name == "frozen").Detail.ShouldContain("on the frozen test split of v1, where -1.00 points is allowed");
    }

    [Theory]
    [InlineData(0.05, 50, GateOutcome.Refuse)]
    [InlineData(0.15, 50, GateOutcome.Promote)]
    [InlineData(0.05, 51, GateOutcome.Promote)]
    public void No_group_of_classes_may_pay_for_the_others(double allowed, int least, GateOutcome outcome)
    {
        // The last five classes, fifty queries, lie in the folder Korean.
        var decision = PromotionGate.Decide(Rule with { MaximumGroupLoss = allowed, MinimumGroupQueries = least, Confidence = 0.6 }, Facts(query => query < 150 ? 0.2 : -0.1));

        decision.Outcome.ShouldBe(outcome);
        if (outcome == GateOutcome.Refuse) decision.Reason.ShouldBe("map@r -10.00 points in Korean (50 queries), where -5.00 points is allowed");
    }

    [Fact]
    public void A_rule_may_look_at_every_class_or_at_none()
    {
        var facts = Facts(query => query < 10 ? -0.1 : 0.2);

        PromotionGate.Decide(Rule with { GroupBy = ClassGroups.Class, MinimumGroupQueries = 10 }, facts).Reason.ShouldContain("in Greek/class00 (10 queries)");
        PromotionGate.Decide(Rule with { GroupBy = ClassGroups.None }, facts).Conditions.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(GateLimits.LatencyMs, 3, GateOutcome.Promote)]
    [InlineData(GateLimits.LatencyMs, 1, GateOutcome.Refuse)]
    [InlineData(GateLimits.SizeMb, 16, GateOutcome.Promote)]
    [InlineData(GateLimits.SizeMb, 15.9, GateOutcome.Refuse)]
    [InlineData(GateLimits.LatencyRatio, 2, GateOutcome.Promote)]
    [InlineData(GateLimits.LatencyRatio, 1.9, GateOutcome.Refuse)]
    [InlineData(GateLimits.SizeRatio, 2, GateOutcome.Promote)]
    [InlineData(GateLimits.SizeRatio, 1.5, GateOutcome.Refuse)]
    [InlineData(GateLimits.EmbeddingSize, 128, GateOutcome.Promote)]
    [InlineData(GateLimits.EmbeddingSize, 64, GateOutcome.Refuse)]
    public void What_a_model_costs_has_limits(string limit, double bound, GateOutcome outcome)
    {
        var rule = Rule with { Limits = new Dictionary<string, double>(StringComparer.Ordinal) { [limit] = bound } };

        PromotionGate.Decide(rule, Facts(_ => 0.1)).Outcome.ShouldBe(outcome);
    }

    [Fact]
    public void A_first_version_has_limits_too_but_nothing_to_be_compared_with()
    {
        var rule = Rule with { Limits = new Dictionary<string, double>(StringComparer.Ordinal) { [GateLimits.LatencyRatio] = 1, [GateLimits.SizeMb] = 1 } };

        var decision = PromotionGate.Decide(rule, Facts(null));

        decision.Conditions.Select(condition => condition.Name).ShouldBe(["gain", "size_mb"]);
        decision.Reason.ShouldBe("size_mb 16, where 1 is allowed");
        PromotionGate.Decide(rule, Facts(null) with { Comparison = null }).Reason.ShouldContain("size_mb was not measured");
    }

    [Fact]
    public void A_required_check_is_waited_for_and_the_latest_report_counts()
    {
        var rule = Rule with { Required = ["beats-untrained", "bias-review"] };
        var facts = Facts(_ => 0.1);

        PromotionGate.Decide(rule, facts).ShouldSatisfyAllConditions(
            waits => waits.Outcome.ShouldBe(GateOutcome.Wait), waits => waits.Reason.ShouldBe("the check bias-review has not been reported yet"));
        PromotionGate.Decide(rule, facts with { Checks = [new NamedCheck("bias-review", true, "fine")] }).Outcome.ShouldBe(GateOutcome.Promote);
        PromotionGate.Decide(rule, facts with { Checks = [new NamedCheck("bias-review", false, "not fine")] }).Reason.ShouldBe("the check bias-review failed: not fine");
        PromotionGate.Decide(rule, facts with { Checks = [new NamedCheck("bias-review", true, "fine"), new NamedCheck("beats-untrained", false, "looked again")] })
            .Outcome.ShouldBe(GateOutcome.Refuse);
    }

    [Fact]
    public void Approval_is_waited_for_where_the_rule_asks_and_a_rejection_holds_everywhere()
    {
        var manual = Rule with { ManualApproval = true };

        PromotionGate.Decide(manual, Facts(_ => 0.1)).Reason.ShouldBe("it waits for approval");
        PromotionGate.Decide(manual, Facts(_ => 0.1) with { Approved = true }).Outcome.ShouldBe(GateOutcome.Promote);
        PromotionGate.Decide(Rule, Facts(_ => 0.1) with { Approved = false }).Outcome.ShouldBe(GateOutcome.Refuse);
        PromotionGate.Decide(manual, Facts(_ => -0.1) with { Approved = true }).Outcome.ShouldBe(GateOutcome.Refuse);
    }

    [Fact]
    public void The_same_facts_make_the_same_decision_to_the_last_digit()
    {
        var random = new Random(5);
        var noise = Enumerable.Range(0, Classes * QueriesPerClass).Select(_ => random.NextDouble() - 0.4).ToArray();

        var decisions = Enumerable.Range(0, 3).Select(_ => PromotionGate.Decide(Rule, Facts(query => noise[query])).ToJson()).Distinct(StringComparer.Ordinal);

        GateDecision.FromJson(decisions.ShouldHaveSingleItem()).ToJson().ShouldBe(PromotionGate.Decide(Rule, Facts(query => noise[query])).ToJson());
    }

    [Theory]
    [InlineData(2, 0.0000)]
    [InlineData(10, 0.00855)]
    [InlineData(100, 0.02307)]
    [InlineData(5000, 0.02485)]
    public void The_percentiles_are_wider_for_few_classes(int classes, double tail) => PairedBootstrap.Tail(0.025, classes).ShouldBe(tail, 2e-5);

    private static ComparedSplit Shift(ComparedSplit split, double gain) => split with
    {
        Challenger = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal) { ["map@r"] = [.. split.Champion!["map@r"].Select(value => value + gain)] },
    };

    /// <summary>Twenty classes of ten queries, the last five in the folder Korean, the others in Greek.</summary>
    private static GateFacts Facts(Func<int, double>? gain)
    {
        int[] labels = [.. Enumerable.Range(0, Classes * QueriesPerClass).Select(query => query / QueriesPerClass)];
        var champion = labels.Select(label => 0.5 + (label * 0.01)).ToArray();
        var comparison = new ModelComparison
        {
            Champion = gain is null ? null : 3,
            Splits =
            [
                new ComparedSplit(
                    SplitKinds.Current, 2, [.. Enumerable.Range(0, Classes).Select(label => $"{(label < 15 ? "Greek" : "Korean")}/class{label:00}")], labels,
                    Values([.. champion.Select((value, query) => value + (gain?.Invoke(query) ?? 0))]), gain is null ? null : Values(champion)),
            ],
            ChallengerCost = new ModelCost(16_000_000, 128, 2, "cpu"),
            ChampionCost = gain is null ? null : new ModelCost(8_000_000, 64, 1, "cpu"),
            Checks = [new NamedCheck("beats-untrained", Passed: true, "")],
        };
        return new GateFacts(gain is null ? null : 3, new Dictionary<string, double>(StringComparer.Ordinal) { ["map@r"] = 0.6 }, comparison, [], Approved: null);
    }

    private static Dictionary<string, IReadOnlyList<double>> Values(double[] values) => new(StringComparer.Ordinal) { ["map@r"] = values };
}
