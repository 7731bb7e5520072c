using DmlPipeline.Learning.Losses;
using DmlPipeline.Tests.Torch.Learning.Losses.Naive;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>Against the definitions as loops, on random batches: the value, and its gradient by finite differences. With the options of the golden cases.</summary>
public sealed class DefinitionTests
{
    private const int Dimensions = 5;
    private static readonly int[] Labels = [0, 0, 1, 1, 1, 2, 3, 3];

    public static TheoryData<string> Cases => GoldenCase.Titles;

    [Fact]
    public void No_loss_is_without_a_definition()
    {
        LossCatalogue.Names.Except(NaiveLosses.All.Keys).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Value_equals_the_definition(string title)
    {
        using var scope = NewDisposeScope();
        var settings = GoldenCase.All[title].Loss;
        for (var seed = 1; seed <= 5; seed++)
        {
            using var loss = LossCatalogue.Create(settings, GoldenBatch.Classes, Dimensions, CPU);
            var random = new Random(seed);
            var parameters = Draw(loss, random);
            var x = Rows(random, Labels.Length, Dimensions);

            var expected = NaiveLosses.All[settings.Name](new NaiveBatch(x, x, Labels, parameters, settings));

            Compute(loss, x).Value.ShouldBe(expected, 1e-9 * Math.Max(1, expected), $"seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_equals_finite_differences(string title)
    {
        using var scope = NewDisposeScope();
        var settings = GoldenCase.All[title].Loss;
        using var loss = LossCatalogue.Create(settings, GoldenBatch.Classes, Dimensions, CPU);
        var random = new Random(11);
        var parameters = Draw(loss, random);
        var x = Rows(random, Labels.Length, Dimensions);
        var gradient = Compute(loss, x).Gradient;

        const double h = 1e-6;
        for (var i = 0; i < gradient.Length; i++)
        {
            double At(double shift)
            {
                var moved = x.Select(row => row.ToArray()).ToArray();
                moved[i / Dimensions][i % Dimensions] += shift;
                return NaiveLosses.All[settings.Name](new NaiveBatch(moved, x, Labels, parameters, settings));
            }
            var slope = (At(h) - At(-h)) / (2 * h);
            gradient[i].ShouldBe(slope, 1e-5 * Math.Max(1, Math.Abs(slope)), $"row {i / Dimensions}, column {i % Dimensions}");
        }
    }

    [Fact]
    public void The_search_for_medoids_comes_close_to_the_best_and_never_beyond()
    {
        using var scope = NewDisposeScope();
        var settings = GoldenCase.All["facility-location"].Loss;
        using var loss = LossCatalogue.Create(settings, GoldenBatch.Classes, Dimensions, CPU);
        for (var seed = 1; seed <= 20; seed++)
        {
            var x = Rows(new Random(seed), Labels.Length, Dimensions);

            var exact = NaiveClusterings.ExactFacilityLocation(new NaiveBatch(x, x, Labels, Draw(loss, new Random(seed)), settings));

            Compute(loss, x).Value.ShouldBeInRange(0.9 * exact, exact + 1e-9, $"seed {seed}");
        }
    }

    [Fact]
    public void Ice_pushes_exactly_as_much_as_it_pulls()
    {
        using var scope = NewDisposeScope();
        // One anchor's row of similarities as the free variable: the derivatives of positives and negatives cancel.
        var f = torch.nn.functional.normalize(Matrix(Rows(new Random(3), Labels.Length, Dimensions)));
        var s = f.matmul(f.t()).detach().requires_grad_();
        const double scale = 16;
        var negatives = s[0].index_select(0, tensor(new long[] { 2, 3, 4, 5, 6, 7 })) * scale;
        var loss = Stable.Softplus(negatives.logsumexp(0) - (s[0, 1] * scale));

        loss.backward();

        var row = s.grad!.data<double>().ToArray()[..Labels.Length];
        row[1].ShouldBeLessThan(0);
        (row[1] + row[2..].Sum()).ShouldBe(0, 1e-12);
    }

    private static (double Value, double[] Gradient) Compute(MetricLoss loss, double[][] x)
    {
        var features = Matrix(x).requires_grad_();
        var value = loss.Compute(LossInput.Batch(features, tensor(Labels.Select(label => (long)label).ToArray())));
        value.backward();
        return (value.item<double>(), features.grad!.data<double>().ToArray());
    }

    /// <summary>Gives the loss random weights and returns them as rows; those of a vector have one number each.</summary>
    private static Dictionary<string, double[][]> Draw(MetricLoss loss, Random random)
    {
        using var noGradient = no_grad();
        var drawn = new Dictionary<string, double[][]>(StringComparer.Ordinal);
        foreach (var (name, parameter) in loss.Parameters)
        {
            var rows = Rows(random, (int)parameter.shape[0], parameter.ndim == 1 ? 1 : (int)parameter.shape[1]);
            // Boundaries between near and far lie within the distances of unit vectors.
            if (name == "boundaries") rows = [.. rows.Select(row => new[] { 1 + (row[0] / 8) })];
            parameter.copy_(Matrix(rows).reshape(parameter.shape));
            drawn[name] = rows;
        }
        return drawn;
    }

    /// <summary>Sixteenths between -2 and 2: exact in single precision too.</summary>
    private static double[][] Rows(Random random, int rows, int columns) =>
        [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, columns).Select(_ => (Math.Round(random.NextDouble() * 64) / 16) - 2).ToArray())];

    private static Tensor Matrix(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length], ScalarType.Float64);
}
