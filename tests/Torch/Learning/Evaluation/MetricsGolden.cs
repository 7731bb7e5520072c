using System.Text.Json;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

/// <summary>What make_metrics_golden.py wrote.</summary>
internal static class MetricsGolden
{
    public static JsonElement Read(string part, int index) => Root.GetProperty(part)[index];

    public static T[] Array<T>(this JsonElement element, string name) => element.GetProperty(name).Deserialize<T[]>()!;

    private static JsonElement Root { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Evaluation", "metrics-golden.json"))).RootElement;
}
