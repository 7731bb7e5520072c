using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class EvaluationReportTests
{
    [Fact]
    public void A_report_survives_json_with_metric_names_as_they_are()
    {
        var report = new EvaluationReport
        {
            Metrics = new Dictionary<string, double> { ["recall@1"] = 0.5, ["nmi"] = 0.25 },
            Images = 10, Classes = 3, Queries = 9, ExcludedQueries = 1, EmbeddingSize = 64,
            KMeans = new KMeansSettings { Clusters = 3, Runs = 2 },
            Baselines = new Dictionary<string, IReadOnlyDictionary<string, double>> { ["raw-pixels"] = new Dictionary<string, double> { ["recall@1"] = 0.1 } },
        };

        var json = report.ToJson();
        var read = EvaluationReport.FromJson(json);

        json.ShouldContain("\"recall@1\": 0.5");
        json.ShouldContain("\"excludedQueries\": 1");
        json.ShouldContain("\"seeding\": \"greedy k-means++\"");
        read.KMeans.ShouldBe(report.KMeans);
        read.Baselines["raw-pixels"]["recall@1"].ShouldBe(0.1);
        read.ToJson().ShouldBe(json);
    }
}
