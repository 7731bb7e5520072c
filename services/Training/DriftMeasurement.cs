using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Evaluation.Drift;
using DmlPipeline.Learning.Models;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;
using Microsoft.Extensions.Options;
using TorchSharp;

namespace DmlPipeline.Training;

/// <summary>
/// Embeds old and new images with the champion and compares them. Only images of classes that the champion was not trained on: those of its own
/// classes it knows too well for anything to be compared with them.
/// </summary>
public sealed class DriftMeasurement(Database database, IArtifactStore store, IOptions<TrainingOptions> options)
{
    private const int BatchSize = 128, MostImages = 400, FewestImages = 20;

    internal async Task<MeasuredDrift> Measure(string dataset, RetrainingFacts facts, double alpha, CancellationToken cancel)
    {
        var champion = await database.ModelVersion(dataset, "champion", cancel);
        if (champion?.Version != facts.Champion) return new MeasuredDrift(facts.Version, facts.Champion, Report: null, "the champion changed meanwhile");
        using var all = await DatasetReader.Open(store, dataset, facts.Version, cancel);
        var (known, trained) = await Known(dataset, champion!.DatasetVersion, facts.TrainedVersion!.Value, cancel);
        var strange = all.Manifest.Classes.Where(c => c.Split != SplitNames.Train || !known.Classes.Contains(c.Name)).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var old = Some(Indexes(all, sample => strange.Contains(sample.Class) && known.Images.Contains(sample.Sha256)));
        var fresh = Some(Indexes(all, sample => strange.Contains(sample.Class) && !known.Images.Contains(sample.Sha256) && !trained.Contains(sample.Sha256)));
        if (old.Length < FewestImages || fresh.Length < FewestImages)
            return new MeasuredDrift(
                facts.Version, facts.Champion, Report: null,
                $"of classes that champion v{facts.Champion} was not trained on there are {old.Length} old and {fresh.Length} new images, and {FewestImages} of each are needed");

        var weights = await store.LocalFile($"models/{dataset}/v{facts.Champion}/model.safetensors", cancel);
        int[] both = [.. old, .. fresh];
        using var thread = new TorchThread(options.Value.Threads);
        var report = await thread.Run(() =>
        {
            using var model = EmbeddingModel.Load(weights);
            if (torch.cuda.is_available()) model.to(torch.CUDA);
            using var images = ImageSet.Load(
                model.Spec.Input, [.. both.Select(i => all.Samples[i].Class)], i => all.Read(both[i]), options.Value.ImageCacheBytes, Environment.ProcessorCount, decoded: null, cancel);
            var embeddings = Embedder.Embed(model, images, BatchSize, done: null, cancel);
            return DriftReport.Of(embeddings, model.Spec.EmbeddingSize, images.Labels, [.. both.Select((_, i) => i >= old.Length)], alpha, cancel);
        });
        return new MeasuredDrift(facts.Version, facts.Champion, report, Unknown: null);
    }

    private async Task<((HashSet<string> Classes, HashSet<string> Images) Known, HashSet<string> Trained)> Known(string dataset, int championOn, int trainedOn, CancellationToken cancel)
    {
        using var before = await DatasetReader.Open(store, dataset, championOn, cancel);
        var known = (before.Manifest.Classes.Select(c => c.Name).ToHashSet(StringComparer.Ordinal), before.Samples.Select(sample => sample.Sha256).ToHashSet(StringComparer.Ordinal));
        if (trainedOn <= championOn) return (known, []);
        using var since = await DatasetReader.Open(store, dataset, trainedOn, cancel);
        return (known, since.Samples.Select(sample => sample.Sha256).ToHashSet(StringComparer.Ordinal));
    }

    private static int[] Indexes(DatasetReader dataset, Func<DatasetSample, bool> which) => [.. Enumerable.Range(0, dataset.Samples.Count).Where(i => which(dataset.Samples[i]))];

    /// <summary>Evenly spaced, so that every class keeps its share.</summary>
    private static int[] Some(int[] indexes) =>
        indexes.Length <= MostImages ? indexes : [.. Enumerable.Range(0, MostImages).Select(i => indexes[(int)((long)i * indexes.Length / MostImages)])];
}
