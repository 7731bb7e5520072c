using System.Text.Json;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Miners;

/// <summary>What make_miners_golden.py wrote: one batch, and what the miners of pytorch-metric-learning make of it.</summary>
internal static class MinersGolden
{
    public static JsonElement Root { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Miners", "miners-golden.json"))).RootElement;

    public static IReadOnlyList<(MinerSettings Miner, JsonElement Case)> Cases { get; } =
        [.. Root.GetProperty("cases").EnumerateArray().Select(@case => (Miner(@case.GetProperty("miner").GetRawText()), @case))];

    public static Tensor Features => tensor(Numbers("features"), ScalarType.Float64).reshape(-1, Root.GetProperty("dimensions").GetInt64());

    public static Tensor Labels => tensor(Numbers("labels").Select(label => (long)label).ToArray());

    public static LossInput Input => LossInput.Batch(Features, Labels);

    public static double[] Numbers(string name) => [.. Root.GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];

    public static MinerSettings Miner(string yaml) =>
        RecipeFile.Parse($"{{epochs: 1, loss: {{name: triplet}}, miner: {yaml}{(yaml.Contains("as-sampled", StringComparison.Ordinal) ? ", sampler: {kind: fixed-triplets}" : "")}}}", "golden").Miner!;

    /// <summary>The loss of the catalogue that stands for the peer's.</summary>
    public static MetricLoss Loss(string name)
    {
        var options = name switch { "triplet" => "triplets: all", "multi-similarity" => "mining: false", _ => null };
        var settings = RecipeFile.Parse($"{{epochs: 1, loss: {{name: {name}{(options is null ? "" : $", {options}")}}}}}", "golden").Loss;
        return LossCatalogue.Create(settings, classes: 6, Root.GetProperty("dimensions").GetInt32(), CPU);
    }

    public static (long, long)[] Pairs(Tensor mask) => [.. mask.nonzero().data<long>().ToArray().Chunk(2).Select(pair => (pair[0], pair[1])).Order()];

    public static (long, long, long)[] Of(Triplets triplets) =>
        [.. triplets.Anchors.data<long>().ToArray().Zip(triplets.Positives.data<long>().ToArray(), triplets.Negatives.data<long>().ToArray()).Order()];

    public static long[][] Rows(JsonElement list) => [.. list.EnumerateArray().Select(row => row.EnumerateArray().Select(x => x.GetInt64()).ToArray())];
}
