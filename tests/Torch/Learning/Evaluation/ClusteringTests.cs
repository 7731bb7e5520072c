using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class ClusteringTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Agreement_of_clusters_and_classes_equals_that_of_scikit_learn(int index)
    {
        var golden = MetricsGolden.Read("nmi", index);
        var (classes, clusters) = (golden.Array<int>("classes"), golden.Array<int>("clusters"));

        NormalisedMutualInformation.Compute(classes, clusters).ShouldBe(golden.GetProperty("nmi").GetDouble(), 1e-9);
        AdjustedMutualInformation.Compute(classes, clusters).ShouldBe(golden.GetProperty("ami").GetDouble(), 1e-9);
        ClusterAgreement.Purity(classes, clusters).ShouldBe(golden.GetProperty("purity").GetDouble(), 1e-12);
        ClusterAgreement.PairwiseF1(classes, clusters).ShouldBe(golden.GetProperty("pairwise-f1").GetDouble(), 1e-12);
    }

    [Fact]
    public void Renamed_groups_agree_fully_and_groups_of_one_agree_on_nothing_but_themselves()
    {
        int[] classes = [0, 0, 1, 1, 2], renamed = [7, 7, 3, 3, 5], alone = [0, 1, 2, 3, 4];

        AdjustedMutualInformation.Compute(classes, renamed).ShouldBe(1);
        ClusterAgreement.Purity(classes, renamed).ShouldBe(1);
        ClusterAgreement.PairwiseF1(classes, renamed).ShouldBe(1);
        AdjustedMutualInformation.Compute(alone, alone).ShouldBe(1);
        ClusterAgreement.PairwiseF1(alone, alone).ShouldBe(1);
        ClusterAgreement.PairwiseF1(classes, alone).ShouldBe(0);
    }

    [Fact]
    public void Clusters_by_chance_have_no_adjusted_information_however_many_they_are()
    {
        var random = new DmlPipeline.Learning.Data.CounterRandom(4, 0);
        var (classes, clusters) = (new int[600], new int[600]);
        for (var i = 0; i < 600; i++) (classes[i], clusters[i]) = (i % 150, random.Below(150));

        NormalisedMutualInformation.Compute(classes, clusters).ShouldBeGreaterThan(0.7);
        AdjustedMutualInformation.Compute(classes, clusters).ShouldBe(0, 0.03);
    }

    [Fact]
    public void All_measures_of_clusters_come_from_one_clustering()
    {
        var (points, labels) = Points.Clouds(16, noise: 0.05f, seed: 2, 30, 10, 50, 20, 5);
        var metrics = new[] { "nmi", "ami", "purity", "pairwise-f1" };

        var found = RetrievalMetrics.Compute(points, 16, labels, new EvaluationOptions { Metrics = [.. metrics.Select(Metric.Parse)] }, CancellationToken.None);

        foreach (var metric in metrics) found.Values[metric].ShouldBe(1, 1e-12, metric);
        found.KMeans!.Normalisation.ShouldBe("arithmetic");
    }

    [Fact]
    public void Nmi_is_one_for_renamed_labels_and_for_two_single_groups()
    {
        NormalisedMutualInformation.Compute([0, 0, 1, 1, 2], [7, 7, 3, 3, 5]).ShouldBe(1, 1e-12);
        NormalisedMutualInformation.Compute([4, 4, 4], [1, 1, 1]).ShouldBe(1);
    }

    [Fact]
    public void Clouds_that_lie_apart_are_found()
    {
        var (points, labels) = Points.Clouds(16, noise: 0.05f, seed: 2, 30, 10, 50, 20, 5);

        var found = KMeans.Cluster(points, 16, new KMeansSettings { Clusters = 5 }, CancellationToken.None);

        NormalisedMutualInformation.Compute(labels, found.Labels).ShouldBe(1, 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Clusters_are_as_tight_as_those_of_scikit_learn(int index)
    {
        var golden = MetricsGolden.Read("retrieval", index);
        var dimension = golden.GetProperty("dimension").GetInt32();
        var points = Points.Unit(golden.Array<float>("embeddings"), dimension);
        var settings = new KMeansSettings { Clusters = golden.Array<int>("labels").Distinct().Count(), Runs = 10 };

        var found = KMeans.Cluster(points, dimension, settings, CancellationToken.None);

        // Both search by chance; the best of ten starts lies within a few per cent of the best there is.
        found.Inertia.ShouldBe(golden.GetProperty("inertia").GetDouble(), 0.03 * found.Inertia);
        found.Inertia.ShouldBe(InertiaOf(points, dimension, found.Labels), 1e-4);
    }

    [Fact]
    public void A_seed_gives_the_same_clusters_again_and_every_cluster_has_a_point()
    {
        // Twenty points, most of them the same: more clusters than distinct points.
        var points = Points.Whole(20, 2, most: 1, seed: 3);
        var settings = new KMeansSettings { Clusters = 12, Seed = 5 };

        var first = KMeans.Cluster(points, 2, settings, CancellationToken.None);

        KMeans.Cluster(points, 2, settings, CancellationToken.None).Labels.ShouldBe(first.Labels);
        first.Inertia.ShouldBe(0, 1e-5);
    }

    [Fact]
    public void More_clusters_than_points_leaves_one_each()
    {
        var found = KMeans.Cluster([0, 1, 5, 5, 9, 0], 2, new KMeansSettings { Clusters = 10 }, CancellationToken.None);

        found.Labels.Distinct().Count().ShouldBe(3);
        found.Inertia.ShouldBe(0, 1e-5);
    }

    private static double InertiaOf(float[] points, int dimension, int[] labels) =>
        Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]).Sum(cluster =>
        {
            var mean = Enumerable.Range(0, dimension).Select(d => cluster.Average(i => (double)points[(i * dimension) + d])).ToArray();
            return cluster.Sum(i => Enumerable.Range(0, dimension).Sum(d => Math.Pow(points[(i * dimension) + d] - mean[d], 2)));
        });
}
