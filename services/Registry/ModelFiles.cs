namespace DmlPipeline.Registry;

/// <summary>The objects of a registered version.</summary>
public static class ModelFiles
{
    public const string Weights = "model.safetensors";
    public const string Document = "model.json";
    public const string Evaluation = "evaluation.json";

    /// <summary>The values of single queries. Named by content: a version that is judged again gets another.</summary>
    public static string ComparisonKey(string model, int version, string sha256) => Key(model, version, $"comparison-{sha256[..12]}.json");

    public static string Key(string model, int version, string file) => $"models/{model}/v{version}/{file}";
}
