using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>The report, and what else came out on the way that is worth keeping.</summary>
/// <param name="Report">What evaluation.json holds.</param>
/// <param name="Embeddings">[N, D] row-major, of all images in the order of the set.</param>
/// <param name="Scores">How each image did as a query.</param>
public sealed record EvaluationOutcome(EvaluationReport Report, float[] Embeddings, QueryScores Scores)
{
    /// <summary>The queries that went worst and some at random, each with its nearest neighbours among what the protocol lets it see.</summary>
    public NeighbourGallery Gallery(ImageSet set, QueryGallery? protocol, int worst, int random, int neighbours, long seed, CancellationToken cancel) =>
        NeighbourGallery.Choose(Embeddings, Report.EmbeddingSize, set.Labels, protocol, Scores, worst, random, neighbours, seed, cancel);
}

/// <summary>Judges a model on images of classes that it has not seen, beside baselines on the same images.</summary>
public static class Evaluator
{
    /// <param name="model">The trained model.</param>
    /// <param name="set">Images whose classes took no part in training.</param>
    /// <param name="options">What to compute.</param>
    /// <param name="progress">Told what is being done and the share, 0 … 1, of all that is done.</param>
    /// <param name="cancel">Stops between batches and tiles.</param>
    /// <exception cref="InvalidDataException">There is nothing to retrieve, or the model's embeddings are not finite; the message says what to do.</exception>
    public static EvaluationOutcome Evaluate(EmbeddingModel model, ImageSet set, EvaluationOptions options, Action<string, double>? progress, CancellationToken cancel)
    {
        var parts = options.Baselines ? 6.0 : 2.0;
        var part = 0;

        var (embeddings, result, episodes) = Judge(model, "the trained model", options);
        // Baselines are there to be compared with, not to be estimated: they get no intervals.
        var plain = options with { Intervals = null };
        var baselines = new Dictionary<string, IReadOnlyDictionary<string, double>>(StringComparer.Ordinal);
        if (options.Baselines)
        {
            Report("embedding raw pixels", 0);
            var (pixels, dimension) = RawPixels.Embed(set, cancel);
            part++;
            baselines[EvaluationReport.RawPixels] = Score(pixels, dimension, "raw pixels", plain).Result.Values;

            using var untrained = EmbeddingModel.Create(model.Spec, options.Seed);
            baselines[EvaluationReport.Untrained] = Judge(untrained, "the untrained model", plain).Result.Values;
        }

        var report = new EvaluationReport
        {
            Metrics = result.Values,
            Images = set.Count,
            Classes = set.ClassNames.Length,
            Queries = result.Queries,
            ExcludedQueries = result.ExcludedQueries,
            GalleryImages = result.GalleryImages,
            EmbeddingSize = model.Spec.EmbeddingSize,
            Protocol = Protocol(options),
            Intervals = options.Intervals is null ? null : result.Intervals,
            IntervalSettings = options.Intervals,
            Episodes = episodes.Count > 0 ? episodes : null,
            Classwise = options.PerClass ? Classwise(set, result.PerQuery) : null,
            KMeans = result.KMeans,
            Baselines = baselines,
        };
        return new EvaluationOutcome(report, embeddings, result.PerQuery);

        (float[] Embeddings, RetrievalResult Result, IReadOnlyList<EpisodeResult> Episodes) Judge(EmbeddingModel judged, string name, EvaluationOptions how)
        {
            var made = Embedder.Embed(judged, set, options.BatchSize, done => Report($"embedding with {name}", (double)done / set.Count), cancel);
            part++;
            var (scored, played) = Score(made, judged.Spec.EmbeddingSize, name, how);
            return (made, scored, played);
        }

        (RetrievalResult Result, IReadOnlyList<EpisodeResult> Episodes) Score(float[] made, int dimension, string name, EvaluationOptions how)
        {
            Report($"scoring {name}", 0);
            var scored = EmbeddingJudge.Judge(made, dimension, set.Labels, set.ClassNames, how, cancel);
            part++;
            Report($"scored {name}", 0);
            return scored;
        }

        void Report(string what, double shareOfPart) => progress?.Invoke(what, Math.Min(1, (part + shareOfPart) / parts));
    }

    private static ProtocolNote? Protocol(EvaluationOptions options)
    {
        var note = new ProtocolNote(
            options.Protocol?.Roles is not null, options.Protocol?.Cameras is not null, options.ReRanking, options.QueryExpansion, options.DatabaseAugmentation);
        return note == new ProtocolNote(HasRoles: false, HasCameras: false, ReRanking: null, QueryExpansion: null, DatabaseAugmentation: null) ? null : note;
    }

    private static List<ClassScore> Classwise(ImageSet set, QueryScores scores)
    {
        var means = scores.Values.Keys.ToDictionary(metric => metric, metric => scores.ByClass(metric, set.Labels, set.ClassNames.Length), StringComparer.Ordinal);
        var queries = new int[set.ClassNames.Length];
        for (var i = 0; i < set.Count; i++)
            if (scores.FirstHit[i] >= 0) queries[set.Labels[i]]++;
        // Classes without a judged query have no value.
        return [.. Enumerable.Range(0, queries.Length).Where(label => queries[label] > 0).Select(label => new ClassScore(
            set.ClassNames[label], queries[label], means.ToDictionary(metric => metric.Key, metric => metric.Value[label], StringComparer.Ordinal)))];
    }
}
