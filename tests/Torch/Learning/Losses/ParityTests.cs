using System.Text.Json;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>
/// Against make_parity_golden.py: pytorch-metric-learning itself, or the definition pair by pair where it has no such loss. infra/parity prints the table.
/// </summary>
public sealed class ParityTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    private static readonly JsonElement Golden =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Losses", "parity-golden.json"))).RootElement;

    [Fact]
    public void Every_loss_and_its_gradients_equal_the_oracle()
    {
        output.WriteLine($"{"loss",-60} {"oracle",-11} {"value",9} {"gradient",9}   largest difference, relative to the largest number");
        var worst = 0.0;
        foreach (var @case in Golden.GetProperty("cases").EnumerateArray())
        {
            var (value, gradient) = Differences(@case);
            var settings = string.Join(", ", @case.GetProperty("loss").EnumerateObject().Select(option => option.Name == "name" ? $"{option.Value}" : $"{option.Name} {option.Value}"));
            output.WriteLine($"{settings,-60} {@case.GetProperty("oracle").GetString(),-11} {value,9:0.0e+00} {gradient,9:0.0e+00}");
            worst = Math.Max(worst, Math.Max(value, gradient));
        }
        worst.ShouldBeLessThan(Tolerance);
    }

    [Fact]
    public void No_loss_is_without_an_oracle()
    {
        var here = Golden.GetProperty("cases").EnumerateArray().Select(@case => @case.GetProperty("loss").GetProperty("name").GetString()!);
        // Those of loss-golden.json: the founding losses.
        string[] there = ["ice", "circle", "circle-class", "softmax", "ln", "bn", "hln", "hbn"];

        LossCatalogue.Names.Except(here).Except(there).ShouldBeEmpty();
    }

    private static (double Value, double Gradient) Differences(JsonElement @case)
    {
        using var scope = NewDisposeScope();
        var features = tensor(Numbers(Golden, "features"), ScalarType.Float64).reshape(-1, Golden.GetProperty("dimensions").GetInt64()).requires_grad_();
        var labels = tensor(Numbers(Golden, "labels").Select(label => (long)label).ToArray());
        var settings = RecipeFile.Parse($"{{epochs: 1, loss: {@case.GetProperty("loss").GetRawText()}}}", "golden").Loss;
        using var loss = LossCatalogue.Create(settings, classes: 4, (int)features.shape[1], CPU);
        var hasWeights = @case.GetProperty("weights").ValueKind != JsonValueKind.Null;
        if (hasWeights)
        {
            using var noGradient = no_grad();
            loss.Parameters["weights"].copy_(tensor(Numbers(@case, "weights"), ScalarType.Float32).reshape(loss.Parameters["weights"].shape));
        }

        var value = loss.Compute(LossInput.Batch(features, labels));
        value.backward();

        var gradient = Difference(features.grad!.data<double>().ToArray(), Numbers(@case, "features"));
        if (hasWeights)
            gradient = Math.Max(gradient, Difference([.. loss.Parameters["weights"].grad!.data<float>().ToArray().Select(x => (double)x)], Numbers(@case, "weights_gradient")));
        return (Difference([value.item<double>()], [@case.GetProperty("value").GetDouble()]), gradient);
    }

    private static double Difference(double[] actual, double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        return actual.Zip(expected, (a, e) => Math.Abs(a - e)).Max() / Math.Max(1e-3, expected.Max(Math.Abs));
    }

    private static double[] Numbers(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];
}
