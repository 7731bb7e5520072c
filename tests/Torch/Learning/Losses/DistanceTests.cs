using DmlPipeline.Learning.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class DistanceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1.5)]
    [InlineData(2)]
    [InlineData(5)]
    public void Minkowski_distance_and_its_slope_equal_the_definition(double p)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var (a, r) = (randn([4, 3]).to(ScalarType.Float64).requires_grad_(), randn([5, 3]).to(ScalarType.Float64));
        var (x, y) = (a.data<double>().ToArray(), r.data<double>().ToArray());
        double D(double[] from, int i, int j) => Math.Pow(Enumerable.Range(0, 3).Sum(k => Math.Pow(Math.Abs(from[(i * 3) + k] - y[(j * 3) + k]), p)), 1 / p);

        var d = Distances.Lp(Input(a, r), p);
        d.sum().backward();

        var gradient = a.grad!.data<double>().ToArray();
        for (var i = 0; i < 4; i++)
        {
            for (var j = 0; j < 5; j++) d[i, j].item<double>().ShouldBe(D(x, i, j), 1e-9);
            for (var k = 0; k < 3; k++)
            {
                const double h = 1e-6;
                double At(double shift)
                {
                    var moved = x.ToArray();
                    moved[(i * 3) + k] += shift;
                    return Enumerable.Range(0, 5).Sum(j => D(moved, i, j));
                }
                gradient[(i * 3) + k].ShouldBe((At(h) - At(-h)) / (2 * h), 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1.5)]
    [InlineData(2)]
    [InlineData(20)]
    public void Coinciding_huge_and_tiny_features_have_finite_distances_and_slopes(double p)
    {
        using var scope = NewDisposeScope();
        foreach (var scale in new[] { 0, 1e-6f, 1, 1e12f })
        {
            var x = (ones([3, 4]) * scale).requires_grad_();
            using var other = tensor(new[,] { { 1f, 1, 1, 1 }, { 1, 2, 1, 1 } }) * scale;

            var d = Distances.Lp(Input(x, other), p);
            d.sum().backward();

            d.data<float>().ToArray().ShouldAllBe(value => float.IsFinite(value));
            x.grad!.data<float>().ToArray().ShouldAllBe(value => float.IsFinite(value));
            if (p != 2) d[0, 0].item<float>().ShouldBe(0);
        }
    }

    [Fact]
    public void Signal_to_noise_distance_is_directed_and_zero_between_equals()
    {
        using var scope = NewDisposeScope();
        var (small, large) = (tensor(new[,] { { 1.0, -1, 1, -1 } }), tensor(new[,] { { 2.0, -2, 2, -2 } }));

        Distances.SignalToNoise(Input(small, large)).item<double>().ShouldBe(1, 1e-12);
        Distances.SignalToNoise(Input(large, small)).item<double>().ShouldBe(0.25, 1e-12);
        Distances.SignalToNoise(Input(large, large)).item<double>().ShouldBe(0);
        // Without signal there is nothing to divide by.
        double.IsFinite(Distances.SignalToNoise(Input(zeros([1, 4]).to(ScalarType.Float64), large)).item<double>()).ShouldBeTrue();
    }

    private static LossInput Input(Tensor a, Tensor r) => new(a, zeros([a.shape[0]], ScalarType.Int64), r, zeros([r.shape[0]], ScalarType.Int64), null);
}
