using DmlPipeline.Learning.Baselines;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Tests.Torch.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Baselines;

public sealed class LinearMetricTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Discriminants_are_those_of_scikit_learn_and_regularised_ones_those_of_scipy(int index)
    {
        var golden = LinearGolden.Read("lda", index);
        var vectors = LinearGolden.Vectors(golden);

        var metric = LinearDiscriminant.Fit(vectors, dimensions: 100, golden.GetProperty("shrinkage").GetDouble(), CancellationToken.None);

        metric.Dimension.ShouldBe(golden.GetProperty("kept").GetInt32());
        ShouldHaveProducts(metric.Project(vectors.Values, CancellationToken.None), metric.Dimension, golden.Doubles("products"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Principal_components_are_those_of_scikit_learn(int index)
    {
        var golden = LinearGolden.Read("lda", index);
        var vectors = LinearGolden.Vectors(golden);

        var metric = PrincipalComponents.Fit(vectors, components: 3, whiten: true, CancellationToken.None);

        ShouldHaveProducts(metric.Project(vectors.Values, CancellationToken.None), 3, golden.Doubles("white"));
    }

    [Fact]
    public void Without_whitening_all_components_are_a_rotation()
    {
        var vectors = LinearGolden.Vectors(LinearGolden.Read("lda", 0));

        var metric = PrincipalComponents.Fit(vectors, components: 9, whiten: false, CancellationToken.None);

        double[] identity = [.. Enumerable.Range(0, 25).Select(i => i % 6 == 0 ? 1.0 : 0)];
        Form(metric).ShouldBeLike(identity, 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Kissme_from_scatter_matrices_is_kissme_from_loops_over_all_pairs(int index)
    {
        var golden = LinearGolden.Read("kissme", index);

        var metric = Kissme.Fit(LinearGolden.Vectors(golden), shrinkage: 0, CancellationToken.None);

        metric.Dimension.ShouldBe(metric.InputDimension - golden.GetProperty("negative").GetInt32());
        Form(metric).ShouldBeLike(golden.Doubles("matrix"), 1e-7);
    }

    [Theory]
    [InlineData(LinearMethod.Lda)]
    [InlineData(LinearMethod.Kissme)]
    [InlineData(LinearMethod.Ldml)]
    public void Every_method_finds_classes_that_noise_of_other_features_hides(LinearMethod method)
    {
        // 4 of 24 features tell the classes apart; the others are as large and say nothing. Fitted to 12 classes, judged on 12 others.
        var (train, test) = (Hidden(seed: 1), Hidden(seed: 2));
        var settings = new LinearSettings { Dimensions = method == LinearMethod.Lda ? 4 : 24, Ldml = new LdmlSettings { Pairs = 3000 } };

        var metric = LinearBaseline.Fit(method, train, settings, CancellationToken.None);
        var judged = Recall(metric.Project(test.Values, CancellationToken.None), metric.Dimension, test.Labels, !metric.UnitLength);

        Recall(Points.Unit(test.Values, 24), 24, test.Labels, byDistance: false).ShouldBeLessThan(0.75);
        judged.ShouldBeGreaterThan(0.95);
    }

    [Theory]
    [InlineData(LinearMethod.Lda)]
    [InlineData(LinearMethod.Kissme)]
    [InlineData(LinearMethod.Ldml)]
    public void Fewer_images_than_features_and_constant_features_are_no_trouble(LinearMethod method)
    {
        var (points, labels) = Points.Clouds(40, noise: 0.3f, seed: 4, 3, 3, 2, 4);
        for (var i = 0; i < labels.Length; i++) (points[i * 40], points[(i * 40) + 1]) = (3, points[(i * 40) + 2]);

        var metric = LinearBaseline.Fit(method, new LabelledVectors(points, 40, labels), new LinearSettings { Ldml = new LdmlSettings { Pairs = 500 } }, CancellationToken.None);

        metric.InputDimension.ShouldBe(40);
        metric.Dimension.ShouldBeInRange(1, 12);
        var projected = metric.Project(points, CancellationToken.None);
        projected.ShouldAllBe(value => float.IsFinite(value));
        Recall(projected, metric.Dimension, labels, !metric.UnitLength).ShouldBe(1);
    }

    [Fact]
    public void Images_of_a_class_that_are_all_equal_leave_no_infinity()
    {
        float[] points = [1, 0, 1, 0, 0, 2, 0, 2, 3, 3, 3, 3];
        var vectors = new LabelledVectors(points, 2, [5, 5, 7, 7, 9, 9]);

        foreach (var metric in (LinearMetric[])
            [LinearDiscriminant.Fit(vectors, 2, shrinkage: 0.1, CancellationToken.None), Kissme.Fit(vectors, shrinkage: 0, CancellationToken.None), Ldml.Fit(vectors, new LdmlSettings { Pairs = 100 }, CancellationToken.None).Metric])
        {
            metric.Projection.ShouldAllBe(value => double.IsFinite(value), metric.Name);
            Recall(metric.Project(points, CancellationToken.None), metric.Dimension, vectors.Labels, !metric.UnitLength).ShouldBe(1, metric.Name);
        }
    }

    [Fact]
    public void What_cannot_be_learnt_from_is_refused_with_the_reason()
    {
        var settings = new LinearSettings();

        Refusal([1, 2, 3], [4, 4, 4]).ShouldContain("one class");
        Refusal([1, 2, 3], [1, 2, 3]).ShouldContain("its class to itself");
        Refusal([1, 1, 1], [1, 1, 2]).ShouldContain("same features");
        Refusal([1, float.NaN, 1], [1, 1, 2]).ShouldContain("not a finite number");
        Should.Throw<ArgumentException>(() => LinearBaseline.Parse("itml")).Message.ShouldContain("lda, kissme, ldml");

        string Refusal(float[] points, int[] labels) =>
            Should.Throw<InvalidDataException>(() => LinearBaseline.Fit(LinearMethod.Lda, new LabelledVectors(points, 1, labels), settings, CancellationToken.None)).Message;
    }

    [Fact]
    public void Results_of_unit_length_are_so_and_the_mean_stays_at_zero()
    {
        var metric = new LinearMetric("lda", [1, 2], [3, 0, 0, 4], UnitLength: true);

        metric.Project([1, 2, 2, 2, 2, 3], CancellationToken.None).ShouldBe([0, 0, 1, 0, 0.6f, 0.8f], 1e-7);
        (metric with { UnitLength = false }).Project([2, 3], CancellationToken.None).ShouldBe([3, 4]);
        Should.Throw<ArgumentException>(() => metric.Project([1, 2, 3], CancellationToken.None)).Message.ShouldContain("rows of 2");
    }

    private static LabelledVectors Hidden(long seed)
    {
        var (centres, labels) = Points.Clouds(4, noise: 0.1f, seed, [.. Enumerable.Repeat(15, 12)]);
        var (noise, _) = Points.Clouds(20, noise: 1, seed + 100, [.. Enumerable.Repeat(1, labels.Length)]);
        return new LabelledVectors([.. centres.Chunk(4).Zip(noise.Chunk(20)).SelectMany(row => row.First.Concat(row.Second.Select(value => 3 * value)))], 24, labels);
    }

    private static double Recall(float[] points, int dimension, int[] labels, bool byDistance) =>
        RetrievalMetrics.Compute(points, dimension, labels, new EvaluationOptions { Metrics = [Metric.Recall(1)], ByDistance = byDistance }, CancellationToken.None).Recall1;

    /// <summary>M = LᵀL.</summary>
    private static double[] Form(LinearMetric metric)
    {
        var (size, form) = (metric.InputDimension, new double[metric.InputDimension * metric.InputDimension]);
        for (var row = 0; row < metric.Dimension; row++)
            for (var i = 0; i < form.Length; i++) form[i] += metric.Projection[(row * size) + (i / size)] * metric.Projection[(row * size) + (i % size)];
        return form;
    }

    private static void ShouldHaveProducts(float[] points, int dimension, double[] products)
    {
        var count = points.Length / dimension;
        double[] ours = [.. Enumerable.Range(0, products.Length).Select(i => Points.Dot(points, dimension, i / count, i % count))];
        ours.ShouldBeLike(products, 1e-5);
    }
}

internal static class LikeExtensions
{
    /// <summary>Equal up to a share of the largest of them.</summary>
    public static void ShouldBeLike(this double[] actual, double[] expected, double tolerance)
    {
        actual.Length.ShouldBe(expected.Length);
        var scale = expected.Max(Math.Abs);
        for (var i = 0; i < actual.Length; i++) actual[i].ShouldBe(expected[i], tolerance * scale, $"at {i}");
    }
}
