using DmlPipeline.Learning.Losses;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>How far a loss is from its oracle: largest differences, relative to the largest number.</summary>
internal sealed record Parity(double Value, double Gradient)
{
    /// <summary>Losses with weights keep them, and their gradient, in single precision.</summary>
    public static double Bound(LossEntry entry)
    {
        using var scope = NewDisposeScope();
        using var loss = LossCatalogue.Create(new(entry.Name), GoldenBatch.Classes, dimensions: 6, CPU);
        return loss.Parameters.Count > 0 || Array.Exists(SinglePrecisionOracles, name => name == entry.Name) ? 1e-6 : 1e-9;
    }

    // The peer's histogram is made with single-precision nodes.
    private static readonly string[] SinglePrecisionOracles = ["histogram"];

    public static Parity Measure(GoldenCase @case)
    {
        using var scope = NewDisposeScope();
        var features = tensor(@case.Batch.Features, ScalarType.Float64).reshape(-1, @case.Batch.Dimensions).requires_grad_();
        using var loss = LossCatalogue.Create(@case.Loss, GoldenBatch.Classes, @case.Batch.Dimensions, CPU);
        loss.Parameters.Keys.Order(StringComparer.Ordinal).ShouldBe(@case.Parameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal), @case.Title);
        foreach (var parameter in @case.Parameters)
        {
            using var noGradient = no_grad();
            var target = loss.Parameters[parameter.Name];
            target.copy_(tensor(parameter.Values, ScalarType.Float64).reshape(target.shape));
        }

        var value = loss.Compute(LossInput.Batch(features, tensor(@case.Batch.Labels)));
        value.backward();

        var gradient = Difference(features.grad!.data<double>().ToArray(), @case.Gradient);
        foreach (var parameter in @case.Parameters)
            gradient = Math.Max(gradient, Difference([.. loss.Parameters[parameter.Name].grad!.data<float>().ToArray().Select(x => (double)x)], parameter.Gradient));
        return new Parity(Difference([value.item<double>()], [@case.Value]), gradient);
    }

    private static double Difference(double[] actual, double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        return actual.Zip(expected, (a, e) => Math.Abs(a - e)).Max() / Math.Max(1e-3, expected.Max(Math.Abs));
    }
}
