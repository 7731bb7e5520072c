using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>The report, and what else came out on the way that is worth keeping.</summary>
/// <param name="Report">What evaluation.json holds.</param>
/// <param name="Embeddings">[N, D] row-major, of all images in the order of the set.</param>
/// <param name="Scores">How each image did as a query.</param>
public sealed record EvaluationOutcome(EvaluationReport Report, float[] Embeddings, QueryScores Scores)
{
    /// <summary>The queries that went worst and some at random, each with its nearest neighbours.</summary>
    public NeighbourGallery Gallery(ImageSet set, int worst, int random, int neighbours, long seed, CancellationToken cancel) =>
        NeighbourGallery.Choose(Embeddings, Report.EmbeddingSize, set.Labels, Scores, worst, random, neighbours, seed, cancel);
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

        var (embeddings, result) = Judge(model, "the trained model");
        var baselines = new Dictionary<string, IReadOnlyDictionary<string, double>>(StringComparer.Ordinal);
        if (options.Baselines)
        {
            Report("embedding raw pixels", 0);
            var (pixels, dimension) = RawPixels.Embed(set, cancel);
            part++;
            baselines[EvaluationReport.RawPixels] = Score(pixels, dimension, "raw pixels").Values;

            using var untrained = EmbeddingModel.Create(model.Spec, options.Seed);
            baselines[EvaluationReport.Untrained] = Judge(untrained, "the untrained model").Result.Values;
        }

        var report = new EvaluationReport
        {
            Metrics = result.Values,
            Images = set.Count,
            Classes = set.ClassNames.Length,
            Queries = result.Queries,
            ExcludedQueries = result.ExcludedQueries,
            EmbeddingSize = model.Spec.EmbeddingSize,
            KMeans = result.KMeans,
            Baselines = baselines,
        };
        return new EvaluationOutcome(report, embeddings, result.PerQuery);

        (float[] Embeddings, RetrievalResult Result) Judge(EmbeddingModel judged, string name)
        {
            var made = Embedder.Embed(judged, set, options.BatchSize, done => Report($"embedding with {name}", (double)done / set.Count), cancel);
            part++;
            return (made, Score(made, judged.Spec.EmbeddingSize, name));
        }

        RetrievalResult Score(float[] made, int dimension, string name)
        {
            Report($"scoring {name}", 0);
            var scored = RetrievalMetrics.Compute(made, dimension, set.Labels, options, cancel);
            part++;
            Report($"scored {name}", 0);
            return scored;
        }

        void Report(string what, double shareOfPart) => progress?.Invoke(what, Math.Min(1, (part + shareOfPart) / parts));
    }
}
