using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

/// <summary>What PyTorch answers (make_golden.py), and comparisons with it.</summary>
internal static class Golden
{
    private static readonly Lazy<Dictionary<string, Tensor>> All = new(() =>
    {
        var (tensors, _) = Safetensors.Read(Path.Combine(AppContext.BaseDirectory, "Torch", "golden.safetensors"));
        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        return tensors;
    });

    internal static IEnumerable<string> Names => All.Value.Keys;

    internal static Tensor Get(string name) => All.Value[name];

    internal static void ShouldBe(Tensor actual, string name, double tolerance = 1e-6)
    {
        var expected = Get(name);
        actual.shape.ShouldBe(expected.shape, name);
        actual.dtype.ShouldBe(expected.dtype, name);
        var difference = LargestDifference(actual, expected);
        // Relative to the largest value: another processor or libtorch sums in another order.
        difference.ShouldBeLessThanOrEqualTo(tolerance * Math.Max(1, Magnitude(expected)), $"{name} differs by {difference}");
    }

    private static double Magnitude(Tensor expected)
    {
        using var scope = NewDisposeScope();
        return expected.numel() == 0 ? 0 : expected.to(ScalarType.Float64).abs().max().item<double>();
    }

    internal static double LargestDifference(Tensor actual, Tensor expected)
    {
        if (expected.numel() == 0) return 0;
        using var scope = NewDisposeScope();
        return (actual.detach().to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>();
    }
}
