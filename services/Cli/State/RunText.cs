using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.State;

/// <summary>One line of a run's <c>metrics.jsonl</c>.</summary>
internal sealed record EpochLine(
    int Epoch, double Loss, double? ActiveFraction, double? PositiveSimilarity, double? NegativeSimilarity, double? ValidationRecall1, double? ValidationMapAtR, double Seconds,
    double ImagesPerSecond);

/// <summary>Runs in words and as JSON.</summary>
internal static class RunText
{
    public static TrainingProgressed? Progress(RunRow run) =>
        run.ProgressJson is null ? null : JsonSerializer.Deserialize<TrainingProgressed>(run.ProgressJson, ContractJson.Compact);

    public static ModelEvaluated? Evaluated(RunRow run) =>
        run.EvaluatedJson is null ? null : JsonSerializer.Deserialize<ModelEvaluated>(run.EvaluatedJson, ContractJson.Compact);

    public static IReadOnlyDictionary<string, double>? Metrics(RunRow run) => Evaluated(run)?.Metrics;

    public static string Metric(RunRow run, string name) => Metrics(run)?.TryGetValue(name, out var value) == true ? Show.Percent(value) : "";

    public static string State(RunRow run) =>
        run.State == "running" && Progress(run) is { } progress ? $"running, {100 * progress.Fraction:0} %" : run.State;

    /// <summary>Backbone and loss, which tell recipes apart best.</summary>
    public static string Recipe(RunRow run)
    {
        var recipe = JsonNode.Parse(run.RecipeJson);
        var length = recipe?["budget"]?.ToString() ?? (recipe?["epochs"] is { } epochs ? $"{epochs} epochs" : "");
        return string.Join(' ', new[] { recipe?["backbone"]?.ToString(), recipe?["loss"]?["name"]?.ToString(), length }.Where(part => !string.IsNullOrEmpty(part)));
    }

    /// <summary>The epochs so far: of the running training, or as its last checkpoint left them.</summary>
    public static async Task<IReadOnlyList<EpochLine>> Epochs(OpenedHome home, RunRow run, CancellationToken cancel)
    {
        var local = Path.Combine(home.Home.WorkFolder, run.Id, "metrics.jsonl");
        var key = $"runs/{run.Id}/metrics.jsonl";
        if (!File.Exists(local) && await home.Store.Find(key, cancel) is null) return [];
        var lines = await File.ReadAllLinesAsync(File.Exists(local) ? local : await home.Store.LocalFile(key, cancel), cancel);
        // A line that is being written at this moment is no line yet.
        return [.. lines.Where(line => line.EndsWith('}')).Select(line => JsonSerializer.Deserialize<EpochLine>(line, ContractJson.Compact)!)];
    }

    /// <summary>By run: what its training, or its evaluation, waits for.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> WhyWaiting(OpenedHome home, CancellationToken cancel) =>
        (await home.Database.Waiting(kind: null, cancel)).Where(job => job.Kind is "train" or "evaluate")
            .GroupBy(job => job.Subject, StringComparer.Ordinal).ToDictionary(of => of.Key, of => of.First().Why, StringComparer.Ordinal);

    /// <param name="run">The run.</param>
    /// <param name="waits">What it waits for; null when it does not.</param>
    public static JsonObject ToJson(RunRow run, string? waits = null) => new()
    {
        ["run"] = run.Id,
        ["state"] = run.State,
        ["dataset"] = run.Dataset,
        ["datasetVersion"] = run.DatasetVersion,
        ["recipeHash"] = run.RecipeHash,
        ["requestedBy"] = run.RequestedBy,
        ["reason"] = run.Reason,
        ["priority"] = ((JobPriority)run.Priority).Name(),
        ["needs"] = run.Needs,
        ["waits"] = waits,
        ["progress"] = run.ProgressJson is null ? null : JsonNode.Parse(run.ProgressJson),
        ["metrics"] = Metrics(run) is { } metrics ? Screen.ToJson(metrics) : null,
        ["error"] = run.Error,
        ["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(run.CreatedAt),
        ["startedAt"] = run.StartedAt is { } started ? DateTimeOffset.FromUnixTimeMilliseconds(started) : null,
        ["finishedAt"] = run.FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null,
    };
}
