using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;
using TorchSharp;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Evaluation;

/// <summary>Judges a trained model, and the champion beside it, on the test classes of the dataset version that it was trained on.</summary>
public sealed class EvaluationWorker(Database database, IArtifactStore store, ILogger<EvaluationWorker> logger) : JobWorker(database, Kind, logger)
{
    public const string Kind = "evaluate";

    // Test images in memory: 1 GiB. Larger sets are decoded as they are embedded, once per model.
    private const long ImageCacheBytes = 1L << 30;

    protected override async Task Run(LeasedJob job, CancellationToken cancel)
    {
        var run = await Database.Run(job.Subject, cancel) ?? throw new PermanentException($"There is no run {job.Subject}.");
        var trained = JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!;
        var recipe = RecipeFile.Parse(run.RecipeJson, $"the recipe of run {run.Id}");
        var champion = await Database.ModelVersion(run.Dataset, "champion", cancel);
        var weights = await store.LocalFile(trained.Weights.Key, cancel);
        var championWeights = champion is null ? null : await store.LocalFile($"models/{champion.Model}/v{champion.Version}/model.safetensors", cancel);

        using var dataset = await DatasetReader.Open(store, run.Dataset, run.DatasetVersion, cancel);
        var firstVersion = await Database.QueryOne<int>("select min(version) from dataset_versions where dataset = @Dataset", new { run.Dataset }, cancel);
        using var first = firstVersion == run.DatasetVersion ? null : await DatasetReader.Open(store, run.Dataset, firstVersion, cancel);
        using var thread = new TorchThread(recipe.Threads);
        var (judged, compared, championMetrics) = await thread.Run(() =>
        {
            var challenger = Judge(dataset, weights, new EvaluationOptions { Seed = recipe.Seed, Intervals = new IntervalSettings() }, cancel);
            var beside = championWeights is null ? null : Judge(dataset, championWeights, new EvaluationOptions { Baselines = false }, cancel);
            return (challenger.Outcome, Comparing.Of(challenger, beside, champion?.Version, dataset, first, cancel), beside?.Outcome.Report.Metrics);
        });
        var comparison = champion is null ? null : new ChampionOnSameSplit(champion.Version, championMetrics!);

        var embeddings = await Put($"runs/{run.Id}/embeddings.safetensors", stream => WriteEmbeddings(stream, judged, dataset), cancel);
        var document = (JsonObject)JsonNode.Parse(judged.Report.ToJson())!;
        document["split"] = SplitNames.Test;
        document["dataset"] = run.Dataset;
        document["datasetVersion"] = run.DatasetVersion;
        document["champion"] = JsonSerializer.SerializeToNode(comparison, ContractJson.Compact);
        document["embeddings"] = JsonSerializer.SerializeToNode(embeddings, ContractJson.Compact);
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(document.ToJsonString(ContractJson.Indented)));
        var evaluation = await store.PutByContent($"runs/{run.Id}/evaluation.json", text, cancel);
        using var values = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(compared, ContractJson.Compact));
        var queries = await store.PutByContent($"runs/{run.Id}/comparison.json", values, cancel);

        var evaluated = new ModelEvaluated(run.Id, run.Dataset, run.DatasetVersion, evaluation, judged.Report.Metrics, comparison, queries);
        await Database.Write(async transaction =>
        {
            await transaction.Finish(job);
            await transaction.Execute(
                "update runs set state = 'evaluated', evaluated_json = @evaluated, finished_at = @now where id = @Id",
                new { run.Id, evaluated = JsonSerializer.Serialize(evaluated, ContractJson.Compact), now = Database.Now });
            await transaction.Publish(evaluated);
        }, CancellationToken.None);
    }

    protected override async Task OnFailed(Transaction transaction, LeasedJob job, string error)
    {
        await transaction.Execute(
            "update runs set state = 'failed', error = @error, finished_at = @now where id = @Subject",
            new { job.Subject, error = $"the evaluation failed: {error}", now = Database.Now });
        var run = (await transaction.QueryOne<RunRow>("select * from runs where id = @Subject", new { job.Subject }))!;
        await transaction.Publish(new TrainingFailed(run.Id, run.Dataset, run.DatasetVersion, run.Error!));
    }

    /// <summary>Each model judges images in its own shape and colours, so the champion may come from another recipe.</summary>
    private static JudgedModel Judge(DatasetReader dataset, string weights, EvaluationOptions options, CancellationToken cancel)
    {
        using var model = EmbeddingModel.Load(weights);
        if (TorchSharp.torch.cuda.is_available()) model.to(TorchSharp.torch.CUDA);
        var indexes = dataset.IndexesOf(SplitNames.Test);
        using var images = ImageSet.Load(
            model.Spec.Input, [.. indexes.Select(i => dataset.Samples[i].Class)], i => dataset.Read(indexes[i]),
            ImageCacheBytes, Environment.ProcessorCount, decoded: null, cancel);
        var outcome = Evaluator.Evaluate(model, images, options with { Protocol = SampleProtocol.Of(indexes.Select(i => dataset.Samples[i])) }, progress: null, cancel);
        var cost = new ModelCost(new FileInfo(weights).Length, model.Spec.EmbeddingSize, Latency.Of(model, cancel), TorchSharp.torch.cuda.is_available() ? "cuda" : "cpu");
        return new JudgedModel(outcome, images.Labels, images.ClassNames, cost);
    }

    private static void WriteEmbeddings(Stream stream, EvaluationOutcome judged, DatasetReader dataset)
    {
        var size = judged.Report.EmbeddingSize;
        var images = dataset.IndexesOf(SplitNames.Test).Select(i => dataset.Samples[i].Sha256);
        Safetensors.WriteFloats(
            stream,
            new Dictionary<string, (float[], long[])>(StringComparer.Ordinal) { ["embeddings"] = (judged.Embeddings, [judged.Embeddings.Length / size, size]) },
            new Dictionary<string, string>(StringComparer.Ordinal) { ["images"] = string.Join(' ', images) });
    }

    private async Task<ArtifactRef> Put(string key, Action<Stream> write, CancellationToken cancel)
    {
        using var content = new MemoryStream();
        write(content);
        content.Position = 0;
        return await store.Put(key, content, cancel);
    }
}
