using System.Text.Json;
using DmlPipeline.Learning.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>Every loss in one list, as a function of features, labels, class weights and bias.</summary>
public static class LossCase
{
    public static TheoryData<string> Names => [.. All.Keys];

    /// <summary>By the names of loss-golden.json.</summary>
    public static IReadOnlyDictionary<string, Func<Tensor, Tensor, Tensor, Tensor, LossTerms>> All { get; } =
        new Dictionary<string, Func<Tensor, Tensor, Tensor, Tensor, LossTerms>>(StringComparer.Ordinal)
        {
            ["ice-16-mean"] = (f, y, _, _) => IceLoss.PerAnchor(LossInput.Batch(f, y), 16, sums: false),
            ["ice-16-sum"] = (f, y, _, _) => IceLoss.PerAnchor(LossInput.Batch(f, y), 16, sums: true),
            ["ice-4-mean"] = (f, y, _, _) => IceLoss.PerAnchor(LossInput.Batch(f, y), 4, sums: false),
            ["circle-80-0.4"] = (f, y, _, _) => CircleLoss.PerAnchor(LossInput.Batch(f, y), 80, 0.4),
            ["circle-128-0.25"] = (f, y, _, _) => CircleLoss.PerAnchor(LossInput.Batch(f, y), 128, 0.25),
            ["circle-class-256-0.25"] = (f, y, w, _) => CircleClassLoss.PerImage(f, y, w, 256, 0.25),
            ["circle-class-64-0.4"] = (f, y, w, _) => CircleClassLoss.PerImage(f, y, w, 64, 0.4),
            ["softmax-none-1"] = (f, y, w, b) => SoftmaxLoss.PerImage(f, y, w, b, FeatureScaling.None, 1),
            ["softmax-l2-16"] = (f, y, w, b) => SoftmaxLoss.PerImage(f, y, w, b, FeatureScaling.L2, 16),
            ["softmax-l2-4"] = (f, y, w, b) => SoftmaxLoss.PerImage(f, y, w, b, FeatureScaling.L2, 4),
            ["softmax-batch-16"] = (f, y, w, b) => SoftmaxLoss.PerImage(f, y, w, b, FeatureScaling.Batch, 16),
        };

    public static JsonElement Golden { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Losses", "loss-golden.json"))).RootElement;

    public static double[] Numbers(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];

    public static Tensor Matrix(double[] values, long columns) =>
        tensor(values, [values.Length / columns, columns], ScalarType.Float64, null, true);
}
