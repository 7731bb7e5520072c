using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class MetricTests
{
    [Theory]
    [InlineData("recall@10")]
    [InlineData("cmc@1")]
    [InlineData("precision@1000")]
    [InlineData("r-precision")]
    [InlineData("map@r")]
    [InlineData("map")]
    [InlineData("mrr")]
    [InlineData("nmi")]
    [InlineData("ami")]
    [InlineData("purity")]
    [InlineData("pairwise-f1")]
    public void A_metric_is_read_and_written_by_one_name(string name) => Metric.Parse(name).Name.ShouldBe(name);

    [Theory]
    [InlineData("recall")]
    [InlineData("recall@0")]
    [InlineData("recall@x")]
    [InlineData("recall@1@2")]
    [InlineData("map@5")]
    [InlineData("nmi@3")]
    [InlineData("")]
    public void Other_names_are_refused_with_a_list_of_those_there_are(string name) =>
        Should.Throw<ArgumentException>(() => Metric.Parse(name)).Message.ShouldContain("recall@K, cmc@K, precision@K, r-precision, map@r, map, mrr, nmi");
}
