using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Evaluation;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;
using DmlPipeline.Training;
using TorchSharp;

namespace DmlPipeline.Cli.Experiments;

/// <summary>What became of training a registered version once more.</summary>
/// <param name="Identical">Every weight is the same, to the last bit.</param>
/// <param name="LargestDifference">Of any weight.</param>
/// <param name="Metrics">By name: as recorded, and now.</param>
/// <param name="Differences">What differs between the recorded environment and this one: name, then, now.</param>
/// <param name="MustBeIdentical">Whether nothing excuses a difference: one CPU thread, the same environment, a length in epochs.</param>
/// <param name="Weights">The new model's file.</param>
internal sealed record ReproductionResult(
    bool Identical, double LargestDifference, IReadOnlyDictionary<string, (double Recorded, double Now)> Metrics, IReadOnlyList<(string Name, string Then, string Now)> Differences,
    bool MustBeIdentical, string Weights)
{
    /// <summary>Largest distance of a ranking metric from its recorded value.</summary>
    public double LargestMetricDifference => Metrics.Count == 0 ? 0 : Metrics.Values.Max(pair => Math.Abs(pair.Now - pair.Recorded));

    // Without a metric that was recorded, nothing is known of weights that differ.
    public bool IsReproduced(double tolerance) => Identical || (!MustBeIdentical && Metrics.Count > 0 && LargestMetricDifference <= tolerance);
}

/// <summary>Trains a registered version again from what its record says, and compares.</summary>
internal sealed class Reproduction(Database database, IArtifactStore store, LiveLine live)
{
    // Of the lineage: what the numbers may depend on.
    private static readonly string[] Surroundings = ["codeVersion", "packagesSha256", "libtorch", "device", "threadsUsed", "processes", "processor", "os", "dotnet"];

    /// <param name="version">The version.</param>
    /// <param name="folder">Where the training writes; one that was broken off goes on there.</param>
    /// <param name="cancel">Saves a checkpoint and ends.</param>
    /// <exception cref="CliException">The record does not suffice.</exception>
    public async Task<ReproductionResult> Run(ModelVersionRow version, string folder, CancellationToken cancel)
    {
        var document = (JsonObject)JsonNode.Parse(version.ModelJson)!;
        if (document["recipe"] is not JsonObject recipeJson || document["lineage"] is not JsonObject lineage)
            throw new CliException($"{version.Model} v{version.Version} was registered without its recipe and lineage: there is nothing to reproduce it from.");
        var recipe = KeptStart(RecipeFile.Parse(recipeJson.ToJsonString(), $"the recipe of {version.Model} v{version.Version}"), (string?)document["training"]?["start"]);
        var row = await database.DatasetVersion(version.Dataset, version.DatasetVersion, cancel) ?? throw new CliException($"There is no dataset {version.Dataset} v{version.DatasetVersion} any more.");
        if ((string?)lineage["datasetContentHash"] is { } hash && hash != row.Manifest.ContentHash)
            throw new CliException($"Dataset {version.Dataset} v{version.DatasetVersion} is not what {version.Model} v{version.Version} was trained on: its content hash is {row.Manifest.ContentHash}, not {hash}.");
        await RequireSameWeights(recipe, (string?)lineage["pretrainedSha256"], version, cancel);
        var recorded = await store.LocalFile($"models/{version.Model}/v{version.Version}/model.safetensors", cancel);

        using var dataset = await DatasetReader.Open(store, version.Dataset, version.DatasetVersion, cancel);
        using var images = new ExperimentImages(dataset, live);
        var shape = SpecOfRecipe.Shape(recipe);
        using var thread = new TorchThread(recipe.Threads);
        var splits = row.Manifest.Classes.ToDictionary(c => c.Name, c => c.Split, StringComparer.Ordinal);
        var job = new TrainingJob
        {
            Recipe = recipe, Folder = folder,
            Train = images.Of(shape, name => splits[name] == SplitNames.Train, cancel), Validation = images.Of(shape, name => splits[name] == SplitNames.Validation, cancel),
            Old = recipe.WarmStart is { Replay: not null, TrainedOn: { } earlier } ? await OldImages.Of(store, dataset, earlier, cancel) : null,
        };
        var outcome = await new ExperimentTraining(store, thread, live).Train(job, $"reproducing {version.Model} v{version.Version}", ends: null, cancel);

        var largest = await thread.Run(() => LargestDifference(recorded, outcome.ModelPath!));
        live.Update("comparing on the test classes");
        var metrics = largest == 0 ? new Dictionary<string, (double, double)>(StringComparer.Ordinal) : await thread.Run(() => Compare(document, images, dataset, outcome.ModelPath!, cancel));
        live.Clear();
        var now = RunEnvironment.Describe(recipe.Threads, torch.cuda.is_available() ? "cuda" : "cpu");
        now["processes"] = 1;
        var differences = Differences(lineage, now);
        var mustBe = differences.Count == 0 && recipe.Budget is null && (int?)lineage["threadsUsed"] == 1 && (string?)lineage["device"] == "cpu";
        return new ReproductionResult(largest == 0, largest, metrics, differences, mustBe, outcome.ModelPath!);
    }

    /// <summary>Of a training that began both with an earlier model and from scratch: the one that was kept, which knew nothing of the other.</summary>
    private static TrainingRecipe KeptStart(TrainingRecipe recipe, string? kept) =>
        recipe.WarmStart is not { } start ? recipe : recipe with { WarmStart = kept == TrainingStarts.Scratch ? null : start with { AlsoFromScratch = null } };

    /// <summary>Weights to begin with that are others than before could only lead to another model: that is known before the training.</summary>
    private async Task RequireSameWeights(TrainingRecipe recipe, string? recorded, ModelVersionRow version, CancellationToken cancel)
    {
        if ((recipe.Pretrained ?? recipe.WarmStart?.Weights) is not { } weights || recorded is null) return;
        try
        {
            await using var file = File.OpenRead(await PretrainedInStore.LocalFile(store, weights, cancel) ?? weights);
            var now = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
            if (now != recorded) throw new CliException($"{weights} is not what {version.Model} v{version.Version} began with: its SHA-256 is {now}, not {recorded}. Restore that file, for example from a backup.");
        }
        catch (Exception e) when (e is WeightException or IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{version.Model} v{version.Version} began with {weights}, which cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Zero only when names, shapes and every value agree. On the torch thread.</summary>
    private static double LargestDifference(string recorded, string now)
    {
        using var scope = torch.NewDisposeScope();
        var (then, again) = (Safetensors.Read(recorded).Tensors, Safetensors.Read(now).Tensors);
        if (!then.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(again.Keys)) return double.PositiveInfinity;
        var largest = 0.0;
        foreach (var (name, tensor) in then)
        {
            if (!tensor.shape.AsSpan().SequenceEqual(again[name].shape)) return double.PositiveInfinity;
            var (values, others) = (Values(tensor), Values(again[name]));
            for (var i = 0; i < values.Length; i++) largest = Math.Max(largest, Math.Abs(values[i] - others[i]));
        }
        return largest;

        static double[] Values(torch.Tensor tensor) => tensor.to(torch.ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    private static IReadOnlyList<(string Name, string Then, string Now)> Differences(JsonObject lineage, JsonObject now) =>
        [.. Surroundings.Select(name => (name, lineage[name]?.ToString() ?? "not recorded", now[name]?.ToString() ?? "unknown")).Where(fact => fact.Item2 != fact.Item3)];

    private static Dictionary<string, (double Recorded, double Now)> Compare(JsonObject document, ExperimentImages images, DatasetReader dataset, string weights, CancellationToken cancel)
    {
        using var model = EmbeddingModel.Load(weights);
        var options = new EvaluationOptions
        {
            // Clusters depend on more than the ranking.
            Metrics = [.. Metric.Default.Where(metric => !metric.NeedsClusters)], Baselines = false, Protocol = SampleProtocol.Of(images.TestSamples.Select(i => dataset.Samples[i])),
        };
        var now = Evaluator.Evaluate(model, images.Test(model.Spec.Input, cancel), options, progress: null, cancel).Report.Metrics;
        var recorded = document["metrics"] as JsonObject ?? [];
        return now.Where(metric => recorded[metric.Key] is not null).ToDictionary(metric => metric.Key, metric => (recorded[metric.Key]!.GetValue<double>(), metric.Value), StringComparer.Ordinal);
    }
}
