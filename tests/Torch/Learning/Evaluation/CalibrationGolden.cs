using System.Text.Json;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

/// <summary>What make_calibration_golden.py wrote.</summary>
internal static class CalibrationGolden
{
    public static JsonElement Read(string part, int index) => Root.GetProperty(part)[index];

    public static double Double(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    private static JsonElement Root { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Evaluation", "calibration-golden.json"))).RootElement;
}
