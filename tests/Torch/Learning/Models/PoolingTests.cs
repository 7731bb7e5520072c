using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Models;

public sealed class PoolingTests
{
    // Two channels of 2 x 3 places.
    private static readonly float[,] Map = { { 1, 2, 3, 4, 5, 6 }, { 0, 0.5f, 0.25f, 4, 0, 0.125f } };

    [Theory]
    [InlineData(Pooling.Average)]
    [InlineData(Pooling.Max)]
    [InlineData(Pooling.Gem)]
    [InlineData(Pooling.Spoc)]
    [InlineData(Pooling.SpocCentre)]
    public void Each_channel_is_pooled_as_the_definition_says(Pooling pooling)
    {
        using var scope = NewDisposeScope();
        using var layer = new PoolingLayer(pooling);

        var pooled = layer.call(tensor(Map).reshape(1, 2, 2, 3)).flatten().data<float>().ToArray();

        for (var channel = 0; channel < 2; channel++)
        {
            var values = Enumerable.Range(0, 6).Select(place => (double)Map[channel, place]).ToArray();
            // The centre is at (0.5, 1), the nearest border 1 from there, and a third of that the deviation.
            var near = Enumerable.Range(0, 6).Select(place => Math.Exp(-(Math.Pow((place / 3) - 0.5, 2) + Math.Pow((place % 3) - 1, 2)) / (2.0 / 9)));
            var expected = pooling switch
            {
                Pooling.Average => values.Average(),
                Pooling.Max => values.Max(),
                Pooling.Gem => Math.Cbrt(values.Select(value => Math.Pow(Math.Max(value, 1e-6), 3)).Average()),
                Pooling.Spoc => values.Sum(),
                _ => values.Zip(near, (value, weight) => value * weight).Sum(),
            };
            ((double)pooled[channel]).ShouldBe(expected, 1e-5 * expected);
        }
    }

    [Fact]
    public void The_generalised_mean_has_the_gradients_of_its_formula()
    {
        using var scope = NewDisposeScope();
        var values = tensor(Map, ScalarType.Float64).reshape(1, 2, 2, 3).clamp_min(0.1).requires_grad_();
        using var layer = new PoolingLayer(Pooling.Gem).to(ScalarType.Float64);
        layer.call(values).sum().backward();
        var (ofValues, ofPower) = (values.grad!, layer.parameters().Single().grad!.item<double>());

        var plain = tensor(Map, ScalarType.Float64).reshape(1, 2, 2, 3).clamp_min(0.1).requires_grad_();
        var power = tensor(3.0).requires_grad_();
        plain.pow(power).mean([2, 3]).pow(1 / power).sum().backward();

        (ofValues - plain.grad!).abs().max().item<double>().ShouldBeLessThan(1e-12);
        ofPower.ShouldBe(power.grad!.item<double>(), 1e-12);
    }

    [Fact]
    public void The_generalised_mean_survives_values_whose_powers_do_not_fit()
    {
        using var scope = NewDisposeScope();
        using var layer = new PoolingLayer(Pooling.Gem);
        var map = tensor(new float[] { 0, 1e20f, 1e-20f, 3e20f }).reshape(1, 1, 2, 2).requires_grad_();

        var pooled = layer.call(map);
        pooled.sum().backward();

        (pooled.item<float>() / 1e20f).ShouldBe((float)Math.Cbrt(28 / 4.0), 1e-4f);
        map.grad!.isfinite().all().item<bool>().ShouldBeTrue();
    }
}
