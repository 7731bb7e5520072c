using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Training;

/// <summary>
/// A run's files: a local scratch folder that the training loop writes, and <c>runs/&lt;id&gt;/</c> in the store, where they last. A worker
/// that was frozen and wakes after another took its run over writes nothing that the other counts on: it has its own folder here, asks
/// before each checkpoint whether the run is still its own, and its model lies under its own hash.
/// </summary>
public sealed partial class RunFolder : IDisposable
{
    private const string Metrics = "metrics.jsonl", LockName = "lock", Previous = "checkpoint.previous.safetensors";
    private const int MostFolders = 16;

    // The run's own files, and those of each of its starts, where it has two.
    private static readonly string[] Parts = ["", $"{TrainingStarts.Warm}/", $"{TrainingStarts.Scratch}/"];

    private const string Checkpoint = "checkpoint.safetensors";

    private readonly IArtifactStore store;
    private readonly string runId;
    private readonly Func<Task<bool>> isMine;
    private readonly FileStream held;
    private readonly Lock uploading = new();

    private RunFolder(IArtifactStore store, string runId, string local, Func<Task<bool>> isMine, FileStream held) =>
        (this.store, this.runId, Local, this.isMine, this.held) = (store, runId, local, isMine, held);

    public string Local { get; }

    /// <param name="store">Where it lasts.</param>
    /// <param name="runId">The run.</param>
    /// <param name="workFolder">In which the local folder is made; other workers of this machine may have theirs in it.</param>
    /// <param name="isMine">Whether the run is still this worker's to write.</param>
    public static RunFolder Open(IArtifactStore store, string runId, string workFolder, Func<Task<bool>> isMine)
    {
        for (var number = 1; ; number++)
        {
            var path = Directory.CreateDirectory(Path.Combine(workFolder, number == 1 ? runId : $"{runId}.{number}")).FullName;
            try
            {
                return new RunFolder(store, runId, path, isMine, new FileStream(Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (number < MostFolders && File.Exists(Path.Combine(path, LockName)))
            {
                // A worker that was frozen has it still, and will go on writing when it wakes.
            }
        }
    }

    /// <summary>The run that a local folder was made for.</summary>
    public static string RunOf(DirectoryInfo folder) => Numbered().Replace(folder.Name, "");

    /// <summary>Whether a worker has the folder now.</summary>
    public static bool IsHeld(DirectoryInfo folder)
    {
        try
        {
            using var free = new FileStream(Path.Combine(folder.FullName, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>
    /// Brings what the store has of the run to the local folder. What lies there already is older, where the run went on elsewhere in
    /// between; it counts only when nothing has reached the store yet.
    /// </summary>
    public async Task Fetch(CancellationToken cancel)
    {
        foreach (var part in Parts)
            if (await store.Find($"runs/{runId}/{CheckpointKey(part)}", cancel) is not null) await Fetch(part, cancel);
    }

    private async Task Fetch(string part, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.Combine(Local, part));
        File.Delete(Path.Combine(Local, part, Previous));
        foreach (var (file, key) in Kept(part))
        {
            var path = Path.Combine(Local, file);
            File.Delete(path);
            if (await store.Find($"runs/{runId}/{key}", cancel) is null) continue;
            await using var source = await store.OpenRead($"runs/{runId}/{key}", cancel);
            await using var target = File.Create(path);
            await source.CopyToAsync(target, cancel);
        }
    }

    /// <summary>Called on the torch thread after each checkpoint; the file is replaced by the next one, so it is copied at once.</summary>
    public void Upload()
    {
        lock (uploading) UploadAll(CancellationToken.None).GetAwaiter().GetResult();
    }

    public async Task UploadAll(CancellationToken cancel)
    {
        foreach (var (file, key) in Parts.SelectMany(Kept))
        {
            var path = Path.Combine(Local, file);
            if (!File.Exists(path)) continue;
            if (!await isMine()) return;
            await using var content = File.OpenRead(path);
            await store.Put($"runs/{runId}/{key}", content, cancel);
        }
    }

    /// <summary>What a run needs to go on: the weights of its best epoch, the curve so far, and the checkpoint, which counts on both and so comes last.</summary>
    private static IReadOnlyList<(string Local, string Key)> Kept(string part) =>
    [
        ($"{part}best.safetensors", $"checkpoints/{part}best.safetensors"), ($"{part}{Metrics}", part.Length == 0 ? Metrics : $"checkpoints/{part}{Metrics}"),
        ($"{part}{Checkpoint}", CheckpointKey(part)),
    ];

    private static string CheckpointKey(string part) => $"checkpoints/{part}{Checkpoint}";

    /// <summary>Stores the finished model and its description, in a folder named after the hash of both.</summary>
    public async Task<(ArtifactRef Weights, ArtifactRef Model)> Publish(
        RunRow run, TrainingRecipe recipe, TrainingOutcome outcome, string device, int processes, CancellationToken cancel)
    {
        var description = Describe(run, recipe, outcome, device, processes).ToJsonString(ContractJson.Indented);
        await using var file = File.OpenRead(outcome.ModelPath!);
        byte[] hashes = [.. await SHA256.HashDataAsync(file, cancel), .. SHA256.HashData(Encoding.UTF8.GetBytes(description))];
        var folder = $"models/{Convert.ToHexStringLower(SHA256.HashData(hashes))[..12]}";
        file.Position = 0;
        var weights = await store.Put($"runs/{runId}/{folder}/model.safetensors", file, cancel);
        await PutText("recipe.json", run.RecipeJson, cancel);
        return (weights, await PutText($"{folder}/model.json", description, cancel));
    }

    /// <summary>For a run that is done: nothing goes on from it.</summary>
    public void DeleteLocal()
    {
        held.Dispose();
        Directory.Delete(Local, recursive: true);
    }

    public void Dispose() => held.Dispose();

    private async Task<ArtifactRef> PutText(string name, string text, CancellationToken cancel)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await store.Put($"runs/{runId}/{name}", content, cancel);
    }

    private static JsonObject Describe(RunRow run, TrainingRecipe recipe, TrainingOutcome outcome, string device, int processes)
    {
        var document = DescribeTraining(run, recipe, outcome, processes);
        // By what `dml reproduce` tells whether the same numbers must come again.
        foreach (var (name, fact) in RunEnvironment.Describe(recipe.Threads, device)) document["lineage"]![name] = fact?.DeepClone();
        return document;
    }

    private static JsonObject DescribeTraining(RunRow run, TrainingRecipe recipe, TrainingOutcome outcome, int processes) => new()
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
            ["start"] = outcome.Start,
            ["otherStartValidationMapAtR"] = outcome.RivalMapAtR,
        },
        ["lineage"] = new JsonObject
        {
            ["dataset"] = run.Dataset,
            ["datasetVersion"] = run.DatasetVersion,
            ["requestedBy"] = run.RequestedBy,
            ["reason"] = run.Reason,
            ["seed"] = recipe.Seed,
            ["threads"] = recipe.Threads,
            ["processes"] = processes,
            ["pretrained"] = recipe.Pretrained ?? recipe.WarmStart?.Weights,
            ["pretrainedSha256"] = outcome.PretrainedSha256,
        },
    };

    // As Open numbers them: a run's own id may end in a number, after another sign.
    [GeneratedRegex(@"\.(?:[2-9]|1[0-6])\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbered();
}
