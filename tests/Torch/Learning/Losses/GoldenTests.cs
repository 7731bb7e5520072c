using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>Against make_loss_golden.py: the papers' formulas pair by pair in PyTorch, and pytorch-metric-learning's NT-Xent for ICE.</summary>
public sealed class GoldenTests
{
    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Loss_and_gradients_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        var golden = LossCase.Golden;
        var expected = golden.GetProperty("cases").GetProperty(name);
        var features = LossCase.Matrix(LossCase.Numbers(golden, "features"), golden.GetProperty("dimensions").GetInt64());
        var weights = LossCase.Matrix(LossCase.Numbers(golden, "weights"), golden.GetProperty("dimensions").GetInt64());
        var bias = tensor(LossCase.Numbers(golden, "bias"), ScalarType.Float64, null, true);
        var labels = tensor(LossCase.Numbers(golden, "labels").Select(label => (long)label).ToArray());

        var loss = LossCase.All[name](features, labels, weights, bias).Mean();
        loss.backward();

        loss.item<double>().ShouldBe(expected.GetProperty("loss").GetDouble(), 1e-9);
        ShouldEqual(features, LossCase.Numbers(expected, "features"));
        foreach (var (tensor, key) in new[] { (weights, "weights"), (bias, "bias") })
            if (expected.GetProperty(key).ValueKind != System.Text.Json.JsonValueKind.Null) ShouldEqual(tensor, LossCase.Numbers(expected, key));
    }

    private static void ShouldEqual(Tensor parameter, double[] gradient)
    {
        var actual = parameter.grad!.data<double>().ToArray();
        actual.Length.ShouldBe(gradient.Length);
        for (var i = 0; i < gradient.Length; i++) actual[i].ShouldBe(gradient[i], 1e-8 * Math.Max(1, Math.Abs(gradient[i])), $"element {i}");
    }
}
