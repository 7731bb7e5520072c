using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class IntervalTests
{
    [Theory]
    [InlineData(1, 12.7062)]
    [InlineData(2, 4.3027)]
    [InlineData(3, 3.1824)]
    [InlineData(9, 2.2622)]
    [InlineData(30, 2.0423)]
    [InlineData(999, 1.9623)]
    public void Students_t_equals_its_table(int degrees, double value) => StudentT.Quantile(0.975, degrees).ShouldBe(value, 1e-4);

    [Fact]
    public void The_interval_of_a_mean_equals_one_computed_by_hand()
    {
        // Mean 3, s = sqrt(2.5), t(0.975, 4) = 2.7764.
        var interval = Intervals.OfMean([1, 2, 3, 4, 5])!.Value;

        interval.Low.ShouldBe(3 - (2.7764 * Math.Sqrt(2.5 / 5)), 1e-4);
        interval.High.ShouldBe(3 + (2.7764 * Math.Sqrt(2.5 / 5)), 1e-4);
        Intervals.OfMean([1]).ShouldBeNull();
    }

    [Fact]
    public void An_interval_over_queries_is_as_wide_as_theory_says()
    {
        // 400 queries, half of them right: the standard error is 0.5 / 20.
        var values = Enumerable.Range(0, 400).Select(i => i % 2 == 0 ? 1.0 : 0).ToArray();

        var interval = Of(values, [.. Enumerable.Range(0, 400)], ResampledUnit.Queries);

        interval.Low.ShouldBe(0.5 - (1.96 * 0.025), 0.008);
        interval.High.ShouldBe(0.5 + (1.96 * 0.025), 0.008);
    }

    [Fact]
    public void Where_queries_of_a_class_go_together_an_interval_over_classes_is_wider()
    {
        // 40 classes of 10: all right or all wrong. Only the classes are independent: the standard error is 0.5 / sqrt(40).
        var labels = Enumerable.Range(0, 400).Select(i => i / 10).ToArray();
        var values = labels.Select(label => label % 2 == 0 ? 1.0 : 0).ToArray();

        var interval = Of(values, labels, ResampledUnit.Classes);

        interval.Low.ShouldBe(0.5 - (1.96 * 0.5 / Math.Sqrt(40)), 0.03);
        interval.High.ShouldBe(0.5 + (1.96 * 0.5 / Math.Sqrt(40)), 0.03);
    }

    [Fact]
    public void Nineteen_of_twenty_intervals_hold_the_truth()
    {
        var held = 0;
        for (var trial = 0; trial < 400; trial++)
        {
            var random = new CounterRandom(trial, 5);
            var values = new double[80];
            for (var i = 0; i < values.Length; i++) values[i] = random.NextFloat() < 0.6 ? 1 : 0;
            var (low, high) = Of(values, [.. Enumerable.Range(0, 80)], ResampledUnit.Queries, resamples: 300);
            if (low <= 0.6 && 0.6 <= high) held++;
        }

        (held / 400.0).ShouldBeInRange(0.91, 0.98);
    }

    [Fact]
    public void A_seed_gives_the_same_interval_again_and_excluded_queries_count_for_nothing()
    {
        var values = Enumerable.Range(0, 50).Select(i => i % 5 == 0 ? double.NaN : i / 50.0).ToArray();
        int[] labels = [.. Enumerable.Range(0, 50).Select(i => i / 5)];

        var first = Of(values, labels, ResampledUnit.Classes);

        Of(values, labels, ResampledUnit.Classes).ShouldBe(first);
        double.IsFinite(first.Low).ShouldBeTrue();
        first.Low.ShouldBeLessThan(first.High);
    }

    [Fact]
    public void One_class_is_no_ground_for_an_interval() =>
        Intervals.Bootstrap(new Dictionary<string, double[]> { ["x"] = [0, 1, 1] }, [4, 4, 4], new IntervalSettings(), CancellationToken.None).ShouldBeEmpty();

    [Fact]
    public void Metrics_come_with_intervals_about_their_values_when_asked_for()
    {
        var (points, labels) = Points.Clouds(6, noise: 1, seed: 7, 12, 9, 7, 8, 10, 6);

        var result = RetrievalMetrics.Compute(points, 6, labels, new EvaluationOptions { Intervals = new IntervalSettings() }, CancellationToken.None);

        result.Intervals.Keys.ShouldBe(result.Values.Keys.Where(name => name != "nmi"));
        foreach (var (name, interval) in result.Intervals) result.Values[name].ShouldBeInRange(interval.Low, interval.High, name);
    }

    private static Interval Of(double[] values, int[] labels, ResampledUnit over, int resamples = 2000) => Intervals.Bootstrap(
        new Dictionary<string, double[]> { ["x"] = values }, labels, new IntervalSettings { Over = over, Resamples = resamples }, CancellationToken.None)["x"];
}
