namespace DmlPipeline.Registry;

/// <summary>The objects of a registered version.</summary>
public static class ModelFiles
{
    public const string Weights = "model.safetensors";
    public const string Document = "model.json";
    public const string Evaluation = "evaluation.json";

    public static string Key(string model, int version, string file) => $"models/{model}/v{version}/{file}";
}
