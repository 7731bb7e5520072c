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

    [Fact]
    public void Intervals_episodes_classes_and_protocol_survive_json()
    {
        var report = Plain() with
        {
            GalleryImages = 8,
            Protocol = new ProtocolNote(HasRoles: true, HasCameras: true, new ReRanking(), null, null),
            Intervals = new Dictionary<string, Interval> { ["recall@1"] = new(0.4, 0.6) },
            IntervalSettings = new IntervalSettings { Over = ResampledUnit.Queries },
            Episodes = [new EpisodeResult(new EpisodeSettings { Ways = 20, WithinGroup = true }, 0.75, new Interval(0.7, 0.8))],
            Classwise = [new ClassScore("robin", 4, new Dictionary<string, double> { ["recall@1"] = 0.25 })],
        };

        var json = report.ToJson();
        var read = EvaluationReport.FromJson(json);

        json.ShouldContain("\"over\": \"queries\"");
        read.ToJson().ShouldBe(json);
        read.Protocol.ShouldBe(report.Protocol);
        read.Intervals!["recall@1"].ShouldBe(new Interval(0.4, 0.6));
        read.Episodes![0].Settings.Name.ShouldBe("20w1s-within");
        read.Classwise![0].Metrics["recall@1"].ShouldBe(0.25);
    }

    [Fact]
    public void Reports_from_before_there_were_intervals_are_read()
    {
        var read = EvaluationReport.FromJson("""
            {"metrics":{"recall@1":0.5},"images":10,"classes":3,"queries":9,"excludedQueries":1,"embeddingSize":64,
             "kmeans":{"clusters":3,"seeding":"greedy k-means++","runs":1,"maxIterations":100,"tolerance":0.0001,"seed":0},"baselines":{}}
            """);

        read.KMeans!.Clusters.ShouldBe(3);
        (read.Intervals, read.Protocol, read.GalleryImages).ShouldBe((null, null, null));
    }

    private static EvaluationReport Plain() => new()
    {
        Metrics = new Dictionary<string, double> { ["recall@1"] = 0.5 }, Images = 10, Classes = 3, Queries = 9, ExcludedQueries = 1, EmbeddingSize = 64,
    };
}
