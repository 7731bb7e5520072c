using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class RetrievalMetricsTests
{
    private static readonly EvaluationOptions NoClustering = new() { Metrics = [.. Metric.Default.Where(metric => !metric.NeedsClusters)] };

    [Fact]
    public void Metrics_equal_those_computed_by_hand()
    {
        // On a circle, by angle: A at 0 and 20 degrees and 70; B at 10 and 60; C alone at 30.
        double[] degrees = [0, 20, 70, 10, 60, 30];
        int[] labels = [0, 0, 0, 1, 1, 2];
        var points = degrees.SelectMany(d => new[] { (float)Math.Cos(d * Math.PI / 180), (float)Math.Sin(d * Math.PI / 180) }).ToArray();
        // Neighbours of 0: B10 A20 C30 B60 A70 -> first hit 2; R 2: 1 of 2 hits, AP (1/2)/2
        // of 20, with 10 and 30 equally near, moved apart below: C30 B10 A0 B60 A70 -> first hit 3; R-precision 0; AP 0
        // of 70: B60 C30 A20 B10 A0 -> first hit 3; 0; 0. Of B10: A0 A20 C30 B60 A70 -> first hit 4, R 1: 0; 0. Of B60: A70 C30 … B10 -> first hit 4; 0; 0.
        points[10] = (float)Math.Cos(29 * Math.PI / 180);
        points[11] = (float)Math.Sin(29 * Math.PI / 180);

        var result = RetrievalMetrics.Compute(points, 2, labels, NoClustering, CancellationToken.None);

        result.PerQuery.FirstHit.ShouldBe([2, 3, 3, 4, 4, -1]);
        (result.Queries, result.ExcludedQueries).ShouldBe((5, 1));
        result.Values["recall@1"].ShouldBe(0);
        result.Values["recall@2"].ShouldBe(0.2);
        result.Values["recall@4"].ShouldBe(1);
        result.Values["recall@8"].ShouldBe(1);
        result.Values["precision@1"].ShouldBe(0);
        result.Values["r-precision"].ShouldBe(0.5 / 5, 1e-12);
        result.Values["map@r"].ShouldBe(0.25 / 5, 1e-12);
        double.IsNaN(result.PerQuery.RPrecision[5]).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Metrics_equal_those_of_pytorch_metric_learning(int index)
    {
        var golden = MetricsGolden.Read("retrieval", index);
        var dimension = golden.GetProperty("dimension").GetInt32();
        var embeddings = Points.Unit(golden.Array<float>("embeddings"), dimension);

        var result = RetrievalMetrics.Compute(embeddings, dimension, golden.Array<int>("labels"), NoClustering, CancellationToken.None);

        foreach (var name in new[] { "precision@1", "r-precision", "map@r" })
            result.Values[name].ShouldBe(golden.GetProperty(name).GetDouble(), 1e-6, name);
        result.Values["recall@1"].ShouldBe(result.Values["precision@1"]);
        (result.Recall1, result.MapAtR).ShouldBe((result.Values["recall@1"], result.Values["map@r"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Metrics_of_the_full_ranking_equal_those_of_pytorch_metric_learning(int index)
    {
        var golden = MetricsGolden.Read("retrieval", index);
        var dimension = golden.GetProperty("dimension").GetInt32();
        var embeddings = Points.Unit(golden.Array<float>("embeddings"), dimension);
        var names = new[] { "precision@1", "r-precision", "map@r", "map", "mrr" };

        var result = RetrievalMetrics.Compute(
            embeddings, dimension, golden.Array<int>("labels"), new EvaluationOptions { Metrics = [.. names.Select(Metric.Parse)] }, CancellationToken.None);

        result.Values.Keys.ShouldBe(names);
        foreach (var name in names) result.Values[name].ShouldBe(golden.GetProperty("full").GetProperty(name).GetDouble(), 1e-6, name);
    }

    [Theory]
    [InlineData(new[] { 30, 20, 10, 5, 2, 1, 1 }, 6, true)]
    [InlineData(new[] { 30, 20, 10, 5, 2, 1, 1 }, 6, false)]
    [InlineData(new[] { 2, 2, 2, 2 }, 3, true)]
    [InlineData(new[] { 60, 60 }, 2, true)]
    [InlineData(new[] { 60, 60 }, 2, false)]
    public void Metrics_equal_a_naive_implementation(int[] sizes, int dimension, bool full)
    {
        var (points, labels) = Points.Clouds(dimension, noise: 1, seed: 6, sizes);
        var metrics = NaiveRetrieval.Metrics.Where(metric => full || !metric.NeedsFullRanking).ToArray();

        var result = RetrievalMetrics.Compute(points, dimension, labels, new EvaluationOptions { Metrics = metrics, TileBytes = 4000 }, CancellationToken.None);

        NaiveRetrieval.ShouldAgree(result, points, dimension, labels, protocol: null, metrics);
    }

    [Fact]
    public void Queries_and_classes_have_values_of_their_own()
    {
        var (points, labels) = Points.Clouds(4, noise: 1, seed: 9, 6, 5, 1);

        var scores = RetrievalMetrics.Compute(points, 4, labels, NoClustering, CancellationToken.None).PerQuery;

        scores.Values.Keys.ShouldBe(NoClustering.Metrics.Select(metric => metric.Name));
        scores.Values["map@r"].ShouldBe(scores.AveragePrecisionAtR);
        var byClass = scores.ByClass("recall@2", labels, 3);
        byClass[1].ShouldBe(Enumerable.Range(0, 12).Where(i => labels[i] == 1).Average(i => scores.FirstHit[i] is 1 or 2 ? 1.0 : 0), 1e-12);
        double.IsNaN(byClass[2]).ShouldBeTrue();
    }

    [Fact]
    public void In_the_full_ranking_too_equal_similarities_are_judged_in_the_order_of_the_images()
    {
        float[] points = [1, 0, 1, 0, 1, 0, 1, 0];

        var result = RetrievalMetrics.Compute(points, 2, [0, 1, 0, 1], new EvaluationOptions { Metrics = [Metric.Parse("mrr")] }, CancellationToken.None);

        result.PerQuery.FirstHit.ShouldBe([2, 3, 1, 2]);
        result.Values["mrr"].ShouldBe((0.5 + (1.0 / 3) + 1 + 0.5) / 4, 1e-12);
    }

    [Fact]
    public void Equal_similarities_are_judged_in_the_order_of_the_images()
    {
        // Four copies of one image: 0 and 2 are A, 1 and 3 are B. Neighbours of 0: 1 2 3; of 1: 0 2 3; of 2: 0 1 3; of 3: 0 1 2.
        float[] points = [1, 0, 1, 0, 1, 0, 1, 0];

        var result = RetrievalMetrics.Compute(points, 2, [0, 1, 0, 1], NoClustering, CancellationToken.None);

        result.PerQuery.FirstHit.ShouldBe([2, 3, 1, 2]);
    }

    [Fact]
    public void The_metrics_have_exactly_the_agreed_names()
    {
        var (points, labels) = Points.Clouds(4, noise: 0.1f, seed: 1, 5, 5, 5);

        var all = RetrievalMetrics.Compute(points, 4, labels, new EvaluationOptions(), CancellationToken.None);
        var validation = RetrievalMetrics.Compute(points, 4, labels, EvaluationOptions.Validation, CancellationToken.None);

        all.Values.Keys.ShouldBe(["recall@1", "recall@2", "recall@4", "recall@8", "precision@1", "r-precision", "map@r", "nmi"]);
        all.KMeans!.Clusters.ShouldBe(3);
        validation.Values.Keys.ShouldBe(["recall@1", "r-precision", "map@r"]);
        validation.KMeans.ShouldBeNull();
    }

    [Fact]
    public void Nothing_to_retrieve_is_said_with_the_remedy() =>
        Should.Throw<InvalidDataException>(() => RetrievalMetrics.Compute([1, 0, 0, 1], 2, [0, 1], NoClustering, CancellationToken.None))
            .Message.ShouldContain("Give classes at least two images");

    [Fact]
    public void Embeddings_of_a_diverged_model_are_named() =>
        Should.Throw<InvalidDataException>(() => RetrievalMetrics.Compute([1, 0, 0, float.NaN], 2, [0, 0], NoClustering, CancellationToken.None))
            .Message.ShouldStartWith("The embedding of image 1 holds NaN");
}
