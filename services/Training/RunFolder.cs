using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Training;

/// <summary>A run's files: a local scratch folder that the training loop writes, and <c>runs/&lt;id&gt;/</c> in the store, where they last.</summary>
public sealed class RunFolder(IArtifactStore store, string runId, string local)
{
    private const string Metrics = "metrics.jsonl";

    // What a run needs to go on: the checkpoint, the weights of its best epoch, and the curve so far.
    private static readonly (string Local, string Key)[] Kept =
    [
        ("checkpoint.safetensors", "checkpoints/checkpoint.safetensors"), ("best.safetensors", "checkpoints/best.safetensors"), (Metrics, Metrics),
    ];

    private readonly Lock uploading = new();

    public string Local { get; } = local;

    /// <summary>Brings what the store has of the run to the local folder, unless the folder has a checkpoint of its own.</summary>
    public async Task Fetch(CancellationToken cancel)
    {
        Directory.CreateDirectory(Local);
        if (File.Exists(Path.Combine(Local, Kept[0].Local))) return;
        foreach (var (file, key) in Kept)
        {
            if (await store.Find($"runs/{runId}/{key}", cancel) is null) continue;
            await using var source = await store.OpenRead($"runs/{runId}/{key}", cancel);
            await using var target = File.Create(Path.Combine(Local, file));
            await source.CopyToAsync(target, cancel);
        }
    }

    /// <summary>Called on the torch thread after each checkpoint; the file is replaced by the next one, so it is copied at once.</summary>
    public void Upload(string checkpoint)
    {
        lock (uploading) UploadAll(CancellationToken.None).GetAwaiter().GetResult();
    }

    public async Task UploadAll(CancellationToken cancel)
    {
        foreach (var (file, key) in Kept)
        {
            var path = Path.Combine(Local, file);
            if (!File.Exists(path)) continue;
            await using var content = File.OpenRead(path);
            await store.Put($"runs/{runId}/{key}", content, cancel);
        }
    }

    /// <summary>Stores the finished model and its description.</summary>
    public async Task<(ArtifactRef Weights, ArtifactRef Model)> Publish(RunRow run, TrainingRecipe recipe, TrainingOutcome outcome, CancellationToken cancel)
    {
        await using var file = File.OpenRead(outcome.ModelPath!);
        var weights = await store.Put($"runs/{runId}/model.safetensors", file, cancel);
        await PutText("recipe.json", run.RecipeJson, cancel);
        var model = await PutText("model.json", Describe(run, recipe, outcome).ToJsonString(ContractJson.Indented), cancel);
        return (weights, model);
    }

    public void DeleteLocal() => Directory.Delete(Local, recursive: true);

    private async Task<ArtifactRef> PutText(string name, string text, CancellationToken cancel)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await store.Put($"runs/{runId}/{name}", content, cancel);
    }

    private static JsonObject Describe(RunRow run, TrainingRecipe recipe, TrainingOutcome outcome) => new()
    {
        ["runId"] = run.Id,
        ["recipe"] = JsonNode.Parse(run.RecipeJson),
        ["recipeHash"] = run.RecipeHash,
        ["training"] = new JsonObject
        {
            ["end"] = outcome.End.ToString().ToLowerInvariant(),
            ["epochs"] = outcome.History.Count,
            ["steps"] = outcome.History.LastOrDefault()?.Step,
            ["seconds"] = outcome.Seconds,
            ["bestEpoch"] = outcome.Best?.Epoch,
            ["validationRecallAt1"] = outcome.Best?.ValidationRecall1,
        },
        ["lineage"] = new JsonObject
        {
            ["dataset"] = run.Dataset,
            ["datasetVersion"] = run.DatasetVersion,
            ["requestedBy"] = run.RequestedBy,
            ["reason"] = run.Reason,
            ["seed"] = recipe.Seed,
            ["threads"] = recipe.Threads,
            ["pretrained"] = recipe.Pretrained,
            ["pretrainedSha256"] = outcome.PretrainedSha256,
            ["codeVersion"] = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            ["libtorch"] = TorchRuntime.Version,
            ["device"] = torch.cuda.is_available() ? "cuda" : "cpu",
        },
    };
}
