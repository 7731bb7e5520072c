using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>Against the definitions as loops, on random batches: the value, and its gradient by finite differences.</summary>
public sealed class DefinitionTests
{
    private const int Dimensions = 5, Classes = 4;
    private static readonly int[] Labels = [0, 0, 1, 1, 1, 2, 3, 3];

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Value_equals_the_definition(string name)
    {
        using var scope = NewDisposeScope();
        for (var seed = 1; seed <= 5; seed++)
        {
            var (x, w, b) = Draw(seed);

            Torch(name, x, w, b).Loss.ShouldBe(Naive(name, x, x, w, b), 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Gradient_equals_finite_differences(string name)
    {
        using var scope = NewDisposeScope();
        var (x, w, b) = Draw(11);
        var gradient = Torch(name, x, w, b).Gradient;

        const double h = 1e-6;
        for (var a = 0; a < x.Length; a++)
        {
            for (var d = 0; d < Dimensions; d++)
            {
                double At(double shift)
                {
                    var moved = x.Select(row => row.ToArray()).ToArray();
                    moved[a][d] += shift;
                    return Naive(name, moved, x, w, b);
                }
                var slope = (At(h) - At(-h)) / (2 * h);
                gradient[(a * Dimensions) + d].ShouldBe(slope, 1e-5 * Math.Max(1, Math.Abs(slope)), $"row {a}, column {d}");
            }
        }
    }

    [Fact]
    public void Ice_pushes_exactly_as_much_as_it_pulls()
    {
        using var scope = NewDisposeScope();
        // One anchor's row of similarities as the free variable: the derivatives of positives and negatives cancel.
        var (x, _, _) = Draw(3);
        var f = torch.nn.functional.normalize(LossCase.Matrix([.. x.SelectMany(row => row)], Dimensions).detach());
        var s = f.matmul(f.t()).detach().requires_grad_();
        const double scale = 16;
        var negatives = s[0].index_select(0, tensor(new long[] { 2, 3, 4, 5, 6, 7 })) * scale;
        var loss = DmlPipeline.Learning.Losses.Stable.Softplus(negatives.logsumexp(0) - (s[0, 1] * scale));

        loss.backward();

        var row = s.grad!.data<double>().ToArray()[..Labels.Length];
        row[1].ShouldBeLessThan(0);
        (row[1] + row[2..].Sum()).ShouldBe(0, 1e-12);
    }

    private static (double Loss, double[] Gradient) Torch(string name, double[][] x, double[][] w, double[] b)
    {
        var features = LossCase.Matrix([.. x.SelectMany(row => row)], Dimensions);
        var weights = LossCase.Matrix([.. w.SelectMany(row => row)], Dimensions);
        var loss = LossCase.All[name](features, tensor(Labels.Select(label => (long)label).ToArray()), weights, tensor(b)).Mean();
        loss.backward();
        return (loss.item<double>(), features.grad!.data<double>().ToArray());
    }

    private static double Naive(string name, double[][] x, double[][] at, double[][] w, double[] b) => name switch
    {
        "ice-16-mean" => NaiveLosses.Ice(x, Labels, 16, sum: false),
        "ice-16-sum" => NaiveLosses.Ice(x, Labels, 16, sum: true),
        "ice-4-mean" => NaiveLosses.Ice(x, Labels, 4, sum: false),
        "circle-80-0.4" => NaiveLosses.Circle(x, at, Labels, 80, 0.4),
        "circle-128-0.25" => NaiveLosses.Circle(x, at, Labels, 128, 0.25),
        "circle-class-256-0.25" => NaiveLosses.CircleClass(x, at, Labels, w, 256, 0.25),
        "circle-class-64-0.4" => NaiveLosses.CircleClass(x, at, Labels, w, 64, 0.4),
        "softmax-none-1" => NaiveLosses.Softmax(x, Labels, w, b, 1, unitFeatures: false, unitClasses: false, 1),
        "softmax-l2-16" => NaiveLosses.Softmax(x, Labels, w, b, 16, unitFeatures: true, unitClasses: true, 1),
        "softmax-l2-4" => NaiveLosses.Softmax(x, Labels, w, b, 4, unitFeatures: true, unitClasses: true, 1),
        _ => NaiveLosses.Softmax(x, Labels, w, b, 16, unitFeatures: false, unitClasses: true, Math.Sqrt(Dimensions)),
    };

    private static (double[][] X, double[][] W, double[] B) Draw(int seed)
    {
        var random = new Random(seed);
        double[][] Rows(int rows) => [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, Dimensions).Select(_ => (random.NextDouble() * 4) - 2).ToArray())];
        return (Rows(Labels.Length), Rows(Classes), [.. Enumerable.Range(0, Classes).Select(_ => random.NextDouble() - 0.5)]);
    }
}
