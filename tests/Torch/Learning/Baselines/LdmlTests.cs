using DmlPipeline.Learning.Baselines;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Tests.Torch.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Baselines;

public sealed class LdmlTests
{
    [Fact]
    public void The_likelihood_is_that_of_a_loop_over_pairs()
    {
        var (objective, parameters) = Example();
        double sum = 0;
        for (var n = 0; n < objective.Differences.Rows; n++)
        {
            double distance = 0;
            for (var i = 0; i < 3; i++)
            {
                double value = 0;
                for (var j = 0; j < 3; j++) value += parameters[(i * 3) + j] * objective.Differences.Values[(n * 3) + j];
                distance += value * value;
            }
            var p = 1 / (1 + Math.Exp(distance - parameters[9]));
            sum -= Math.Log(n < objective.Same ? p : 1 - p);
        }

        objective.At(parameters).Value.ShouldBe(sum / objective.Differences.Rows, 1e-12);
    }

    [Fact]
    public void The_gradient_is_that_of_finite_differences()
    {
        var (objective, parameters) = Example();
        const double h = 1e-6;

        var gradient = objective.At(parameters).Gradient;

        for (var i = 0; i < parameters.Length; i++)
        {
            var (less, more) = ((double[])parameters.Clone(), (double[])parameters.Clone());
            less[i] -= h;
            more[i] += h;
            gradient[i].ShouldBe((objective.At(more).Value - objective.At(less).Value) / (2 * h), 1e-8, $"parameter {i}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_optimum_is_that_of_scikit_learns_logistic_regression_where_that_is_a_metric(int index)
    {
        var golden = LinearGolden.Read("ldml", index);
        var size = golden.GetProperty("dimension").GetInt32();
        var same = golden.GetProperty("same").GetInt32();
        var objective = new LdmlObjective(new DenseMatrix(2 * same, size, golden.Doubles("differences")), same);
        double[] start = [.. Enumerable.Range(0, size * size).Select(i => i % (size + 1) == 0 ? 1.0 : 0), 1];

        var found = Lbfgs.Minimise(objective.At, start, iterations: 500, tolerance: 1e-10, CancellationToken.None);

        var factor = new DenseMatrix(size, size, found[..^1]);
        factor.TransposedTimes(factor).Values.ShouldBeLike(golden.Doubles("matrix"), 1e-5);
        found[^1].ShouldBe(golden.GetProperty("bias").GetDouble(), 1e-5);
    }

    [Fact]
    public void Huge_distances_neither_overflow_nor_lose_their_gradient()
    {
        var objective = new LdmlObjective(new DenseMatrix(2, 1, [1e3, 1e-3]), 1);

        var (value, gradient) = objective.At([10, 0]);

        value.ShouldBe((1e8 + Math.Log(2)) / 2, 1);
        gradient[0].ShouldBe(1e7, 1);
        gradient.ShouldAllBe(entry => double.IsFinite(entry));
    }

    [Fact]
    public void Pairs_are_of_one_class_and_of_two_and_the_same_for_the_same_seed()
    {
        int[] labels = [4, 9, 4, 4, 1, 9, 7];

        var drawn = PairDraw.Draw(labels, 300, seed: 3);

        drawn.Length.ShouldBe(600);
        drawn[..300].ShouldAllBe(pair => labels[pair.First] == labels[pair.Second] && pair.First != pair.Second);
        drawn[300..].ShouldAllBe(pair => labels[pair.First] != labels[pair.Second]);
        drawn[..300].Distinct().Count().ShouldBe(8);
        drawn[300..].Distinct().Count().ShouldBe((7 * 7) - 9 - 4 - 1 - 1);
        PairDraw.Draw(labels, 300, seed: 3).ShouldBe(drawn);
        PairDraw.Draw(labels, 300, seed: 4).ShouldNotBe(drawn);
    }

    [Fact]
    public void The_metric_and_its_bias_tell_pairs_of_one_class_from_others()
    {
        var (points, labels) = Points.Clouds(6, noise: 0.2f, seed: 8, 12, 12, 12, 12, 12);

        var (metric, bias) = Ldml.Fit(new LabelledVectors(points, 6, labels), new LdmlSettings { Pairs = 2000 }, CancellationToken.None);

        var projected = metric.Project(points, CancellationToken.None);
        var right = 0;
        for (var i = 0; i < 60; i++)
            for (var j = 0; j < 60; j++)
                if (Enumerable.Range(0, 6).Sum(d => Math.Pow(projected[(i * 6) + d] - projected[(j * 6) + d], 2)) < bias == (labels[i] == labels[j])) right++;
        right.ShouldBeGreaterThan(3500);
    }

    private static (LdmlObjective Objective, double[] Parameters) Example()
    {
        var random = new CounterRandom(6, 0);
        double Draw() => (2 * random.NextDouble()) - 1;
        double[] differences = [.. Enumerable.Range(0, 21).Select(_ => Draw())], parameters = [.. Enumerable.Range(0, 10).Select(_ => 2 * Draw())];
        return (new LdmlObjective(new DenseMatrix(7, 3, differences), 3), parameters);
    }
}
