using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Tests.Services.Registry;

public class GateFileTests
{
    private const string Whole =
        """
        gate:
          metric: Recall@1
          minimum_gain: 0.01
          confidence: 0.9
          resamples: 1000
          seed: 7
          over: queries
          maximum_frozen_loss: 0.02
          maximum_group_loss: 0.1
          group_by: class
          minimum_group_queries: 20
          limits: { latency_ms: 50, size_ratio: 1.5 }
          required: [beats-untrained, bias-review]
          approval: manual
        models:
          birds: { minimum_gain: 0.02, approval: automatic }
          letters: { limits: {} }
        """;

    [Fact]
    public void Every_option_of_a_rule_can_be_written_down()
    {
        var rule = Parse(Whole, "cars");

        rule.ShouldSatisfyAllConditions(
            () => rule.Metric.ShouldBe("recall@1"), () => rule.MinimumGain.ShouldBe(0.01), () => rule.Confidence.ShouldBe(0.9), () => rule.Resamples.ShouldBe(1000),
            () => rule.Seed.ShouldBe(7), () => rule.Over.ShouldBe(DrawnUnit.Queries), () => rule.MaximumFrozenLoss.ShouldBe(0.02), () => rule.MaximumGroupLoss.ShouldBe(0.1),
            () => rule.GroupBy.ShouldBe(ClassGroups.Class), () => rule.MinimumGroupQueries.ShouldBe(20), () => rule.Limits["latency_ms"].ShouldBe(50),
            () => rule.Required.ShouldBe(["beats-untrained", "bias-review"]), () => rule.ManualApproval.ShouldBeTrue());
    }

    [Fact]
    public void A_model_may_differ_in_some_options()
    {
        var birds = Parse(Whole, "birds");

        (birds.MinimumGain, birds.ManualApproval, birds.Seed).ShouldBe((0.02, false, 7));
        Parse(Whole, "letters").Limits.ShouldBeEmpty();
    }

    [Fact]
    public void A_silent_file_and_no_file_leave_the_defaults()
    {
        Parse("", "birds").ToJson().ShouldBe(new GateRule().ToJson());
        GateFile.RuleOf(path: null, "birds", new GateRule { Metric = "r-precision" }).Metric.ShouldBe("r-precision");
    }

    [Fact]
    public void Equal_rules_have_the_same_hash_also_after_they_were_stored()
    {
        var rule = Parse(Whole, "cars");

        GateRule.FromJson(rule.ToJson()).Hash().ShouldBe(rule.Hash());
        Parse(Whole, "birds").Hash().ShouldNotBe(rule.Hash());
    }

    [Theory]
    [InlineData("gate: { minimum_gains: 1 }", "line 1: 'minimum_gains' is no option of a gate; there are metric, minimum_gain")]
    [InlineData("gate: { minimum_gain: much }", "minimum_gain must be a number from 0 to 1")]
    [InlineData("gate: { confidence: 1 }", "confidence must be a number from 0.5 to 0.999")]
    [InlineData("gate: { metric: nmi }", "nmi has no value for a single query")]
    [InlineData("gate: { over: 1 }", "over must be one of classes, queries")]
    [InlineData("gate: { limits: { weight: 1 } }", "'weight' is no limit; there are latency_ms")]
    [InlineData("gate: { approval: yes }", "approval must be manual or automatic")]
    [InlineData("gate: { required: bias }", "required must be a list")]
    [InlineData("gates: {}", "'gates' is no section; there are gate and models")]
    [InlineData("gate: 1", "gate must hold keys and values")]
    [InlineData("models: { other: { confidence: 7 } }", "confidence must be a number")]
    [InlineData("gate: {", "gate.yaml, line")]
    public void A_mistake_is_named_with_its_line(string yaml, string message) => Should.Throw<GateFileException>(() => Parse(yaml, "birds")).Message.ShouldContain(message);

    [Fact]
    public void A_file_that_is_not_there_is_an_error() =>
        Should.Throw<GateFileException>(() => GateFile.RuleOf("nowhere/gate.yaml", "birds", new GateRule())).Message.ShouldContain("registry: gate-file");

    private static GateRule Parse(string yaml, string model) => GateFile.Parse(yaml, "gate.yaml", model, new GateRule());
}
