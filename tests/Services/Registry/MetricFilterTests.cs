using DmlPipeline.Registry;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Registry;

public class MetricFilterTests
{
    [Theory]
    [InlineData("recall@1>=0.9", "recall@1", ">=", 0.9)]
    [InlineData("  MAP@R  <  5e-1 ", "map@r", "<", 0.5)]
    [InlineData("r-precision=1", "r-precision", "=", 1)]
    [InlineData("x.y_z<=-2.5", "x.y_z", "<=", -2.5)]
    [InlineData("nmi>.5", "nmi", ">", 0.5)]
    public void A_condition_has_a_metric_a_comparison_and_a_number(string text, string metric, string comparison, double value) =>
        MetricFilter.Parse(text).ShouldBe([new MetricCondition(metric, comparison, value)]);

    [Fact]
    public void Conditions_are_separated_by_commas() =>
        MetricFilter.Parse("recall@1>=0.9, map@r>0.5").Select(condition => condition.Metric).ShouldBe(["recall@1", "map@r"]);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void No_text_is_no_condition(string? text) => MetricFilter.Parse(text).ShouldBeEmpty();

    [Theory]
    [InlineData("recall@1")]
    [InlineData("recall@1>")]
    [InlineData(">0.5")]
    [InlineData("recall@1==0.9")]
    [InlineData("recall@1=>0.9")]
    [InlineData("recall@1!=0.9")]
    [InlineData("recall@1>0,9")]
    [InlineData("recall@1>nan")]
    [InlineData("recall@1<Infinity")]
    [InlineData("recall@1<1e999")]
    [InlineData("recall@1>0x10")]
    [InlineData("a>1,,b>1")]
    [InlineData("a>1,")]
    [InlineData("a>1 or 1=1")]
    [InlineData("a>1;drop table runs")]
    [InlineData("a' or '1'='1>1")]
    [InlineData("recall@1>١")]
    [InlineData("a>1\nb>1")]
    public void Anything_else_is_refused_with_an_example(string text) =>
        Should.Throw<FormatException>(() => MetricFilter.Parse(text)).Message.ShouldContain("Write for example: recall@1>=0.9");

    [Fact]
    public void Endless_text_is_refused_at_once()
    {
        Should.Throw<FormatException>(() => MetricFilter.Parse(new string('a', 1_000_000) + ">1"));
        Should.Throw<FormatException>(() => MetricFilter.Parse("a>" + new string('1', 1_000_000)));
        Should.Throw<FormatException>(() => MetricFilter.Parse(new string(' ', 1_000_000) + "!"));
        Should.Throw<FormatException>(() => MetricFilter.Parse(string.Join(',', Enumerable.Repeat("a>1", 2_000)))).Message.ShouldContain("may have 16 conditions");
    }
}
