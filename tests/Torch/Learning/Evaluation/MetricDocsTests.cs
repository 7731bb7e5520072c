using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class MetricDocsTests
{
    [Fact]
    public void Every_metric_is_defined_in_the_readme()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Evaluation", "README.md"));

        foreach (var form in Metric.Forms) text.ShouldContain($"| `{form}` |");
    }
}
