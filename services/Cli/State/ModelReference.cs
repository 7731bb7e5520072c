using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>A model to work with: a registered version, or a weights file by itself.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Weights">Its safetensors file.</param>
/// <param name="Sha256">Of that file.</param>
/// <param name="TrainedOn">The dataset version it was trained on, such as <c>birds@2</c>; null when that is not known.</param>
internal sealed record ModelReference(string Name, string Weights, string Sha256, string? TrainedOn = null)
{
    public const string Description = "NAME@champion, NAME@latest, NAME@3; NAME alone is its champion; or a model.safetensors file";

    public static async Task<ModelReference> Find(HomeOrNone homes, string text, CancellationToken cancel)
    {
        if (text.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            if (!File.Exists(text)) throw new CliException($"There is no file '{text}'.");
            await using var file = File.OpenRead(text);
            return new ModelReference(text, text, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel)));
        }
        var home = homes.Required;
        var at = text.LastIndexOf('@');
        var (model, which) = at < 0 ? (text, "champion") : (text[..at], text[(at + 1)..]);
        var row = await home.Database.ModelVersion(model, which, cancel) ?? throw await Missing.Model(home, model, which, cancel);
        var weights = await home.Store.LocalFile($"models/{row.Model}/v{row.Version}/model.safetensors", cancel);
        return new ModelReference($"{row.Model} v{row.Version}", weights, JsonNode.Parse(row.ModelJson)!["weights"]!["sha256"]!.ToString(), $"{row.Dataset}@{row.DatasetVersion}");
    }
}
