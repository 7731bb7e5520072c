using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

/// <summary>Re-ranking, query expansion, database augmentation.</summary>
public sealed class RefinedRankingTests
{
    private static readonly Metric Map = Metric.Parse("map");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Re_ranking_equals_its_definition_with_whole_matrices(int index)
    {
        var golden = MetricsGolden.Read("reranking", index);
        var dimension = golden.GetProperty("dimension").GetInt32();
        var embeddings = Points.Unit(golden.Array<float>("embeddings"), dimension);
        var settings = new ReRanking { K1 = golden.GetProperty("k1").GetInt32(), K2 = golden.GetProperty("k2").GetInt32(), Lambda = golden.GetProperty("lambda").GetDouble() };

        var result = RetrievalMetrics.Compute(
            embeddings, dimension, golden.Array<int>("labels"), new EvaluationOptions { Metrics = [Map], ReRanking = settings, TileBytes = 3000 }, CancellationToken.None);

        var expected = golden.Array<double>("average-precision");
        for (var i = 0; i < expected.Length; i++) result.PerQuery.Values["map"][i].ShouldBe(expected[i], 1e-6, $"query {i}");
    }

    [Fact]
    public void Re_ranking_by_the_original_distance_alone_changes_nothing()
    {
        var (points, labels) = Points.Clouds(6, noise: 1, seed: 4, 20, 10, 5);

        var plain = RetrievalMetrics.Compute(points, 6, labels, new EvaluationOptions { Metrics = [Map] }, CancellationToken.None);
        var again = RetrievalMetrics.Compute(points, 6, labels, new EvaluationOptions { Metrics = [Map], ReRanking = new ReRanking { Lambda = 1 } }, CancellationToken.None);

        again.Values["map"].ShouldBe(plain.Values["map"], 1e-9);
    }

    [Fact]
    public void Re_ranking_survives_images_that_are_all_the_same_and_sets_smaller_than_k()
    {
        float[] points = [1, 0, 1, 0, 1, 0];

        var result = RetrievalMetrics.Compute(points, 2, [0, 0, 1], new EvaluationOptions { Metrics = [Map], ReRanking = new ReRanking() }, CancellationToken.None);

        double.IsFinite(result.Values["map"]).ShouldBeTrue();
    }

    [Theory]
    [InlineData(1, 0, false)]
    [InlineData(3, 0, false)]
    [InlineData(3, 3, false)]
    [InlineData(100, 2, true)]
    [InlineData(2, 0, true)]
    public void Expansion_and_augmentation_equal_a_naive_implementation(int neighbours, double alpha, bool augment)
    {
        var (points, labels) = Points.Clouds(5, noise: 1, seed: 4, 20, 10, 5);
        var averaging = new NeighbourAveraging { Neighbours = neighbours, Alpha = alpha };
        var options = new EvaluationOptions { Metrics = [Map], QueryExpansion = averaging, DatabaseAugmentation = augment ? averaging : null };

        var result = RetrievalMetrics.Compute(points, 5, labels, options, CancellationToken.None);

        var gallery = augment ? Naive(points, points, averaging) : points;
        var queries = Naive(points, gallery, averaging);
        for (var q = 0; q < labels.Length; q++)
        {
            var hits = Others(q, queries, gallery).Select(i => labels[i] == labels[q]).ToArray();
            var precision = Enumerable.Range(0, hits.Length).Where(i => hits[i]).Average(i => (double)hits.Take(i + 1).Count(hit => hit) / (i + 1));
            result.PerQuery.Values["map"][q].ShouldBe(precision, 1e-9, $"query {q}");
        }
    }

    [Fact]
    public void Expansion_finds_what_neighbours_lead_to()
    {
        // A chain of one class, 25 degrees apart, and another class at -40: from the chain's end its far images lie beyond the stranger.
        double[] degrees = [0, 25, 50, 75, -40, -42];
        var points = degrees.SelectMany(d => new[] { (float)Math.Cos(d * Math.PI / 180), (float)Math.Sin(d * Math.PI / 180) }).ToArray();
        int[] labels = [0, 0, 0, 0, 1, 1];

        double OfFirst(NeighbourAveraging? expansion) => RetrievalMetrics.Compute(
            points, 2, labels, new EvaluationOptions { Metrics = [Map], QueryExpansion = expansion }, CancellationToken.None).PerQuery.Values["map"][0];

        OfFirst(expansion: null).ShouldBeLessThan(1);
        OfFirst(new NeighbourAveraging { Neighbours = 1 }).ShouldBeGreaterThan(OfFirst(expansion: null));
    }

    [Fact]
    public void Re_ranking_and_expansion_cannot_be_combined() =>
        Should.Throw<ArgumentException>(() => RetrievalMetrics.Compute(
            [1, 0, 1, 0], 2, [0, 0], new EvaluationOptions { ReRanking = new ReRanking(), QueryExpansion = new NeighbourAveraging() }, CancellationToken.None))
            .Message.ShouldContain("choose one");

    private static float[] Naive(float[] vectors, float[] gallery, NeighbourAveraging averaging) =>
        Points.Unit([.. Enumerable.Range(0, vectors.Length / 5).SelectMany(v =>
        {
            var sum = Enumerable.Range(0, 5).Select(d => (double)vectors[(v * 5) + d]).ToArray();
            foreach (var g in Others(v, vectors, gallery).Take(averaging.Neighbours))
                for (var d = 0; d < 5; d++) sum[d] += Math.Pow(Math.Max(0, Dot(vectors, v, gallery, g)), averaging.Alpha) * gallery[(g * 5) + d];
            return sum.Select(value => (float)value);
        })], 5);

    private static IEnumerable<int> Others(int query, float[] queries, float[] gallery) =>
        Enumerable.Range(0, gallery.Length / 5).Where(i => i != query).OrderByDescending(i => Dot(queries, query, gallery, i));

    private static double Dot(float[] a, int i, float[] b, int j) => Enumerable.Range(0, 5).Sum(d => (double)a[(i * 5) + d] * b[(j * 5) + d]);
}
