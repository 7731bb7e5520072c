using System.Text.Json;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Baselines;

/// <summary>What make_linear_golden.py wrote.</summary>
internal static class LinearGolden
{
    public static JsonElement Read(string part, int index) => Root.GetProperty(part)[index];

    public static LabelledVectors Vectors(JsonElement golden) => new(
        golden.GetProperty("points").Deserialize<float[]>()!, golden.GetProperty("dimension").GetInt32(), golden.GetProperty("labels").Deserialize<int[]>()!);

    public static double[] Doubles(this JsonElement golden, string name) => golden.GetProperty(name).Deserialize<double[]>()!;

    private static JsonElement Root { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Baselines", "linear-golden.json"))).RootElement;
}
