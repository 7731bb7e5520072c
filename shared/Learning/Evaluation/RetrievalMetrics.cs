namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Judges embeddings: every query looks through the gallery, and what is of its class should come first. Without roles each image is a query among
/// all the others. README.md beside this file defines the metrics; <see cref="RankFormulas"/> computes them. Queries with nothing to find are left out
/// and counted.
/// </summary>
public static class RetrievalMetrics
{
    /// <summary>Judges embeddings, [N, D] row-major, of unit length unless they are ranked by distance.</summary>
    /// <exception cref="InvalidDataException">The embeddings hold NaN or infinity, or no query has anything to find.</exception>
    public static RetrievalResult Compute(float[] embeddings, int dimension, int[] labels, EvaluationOptions options, CancellationToken cancel)
    {
        if (dimension < 1 || embeddings.Length != (long)labels.Length * dimension)
            throw new ArgumentException($"{labels.Length} images of dimension {dimension} need {(long)labels.Length * dimension} values, not {embeddings.Length}.");
        options.Check();
        CheckFinite(embeddings, dimension);
        var task = new RetrievalTask(labels, options.Protocol);
        if (!task.Relevant.Any(relevant => relevant > 0)) throw new InvalidDataException(NothingToFind(labels, options));

        var scores = Rank(embeddings, dimension, labels, task, options, cancel);
        var (values, settings) = Average(embeddings, dimension, labels, task, scores, options, cancel);
        var intervals = options.Intervals is null ? [] : Intervals.Bootstrap(scores.Values, labels, options.Intervals, cancel);
        var judged = task.Relevant.Count(relevant => relevant > 0);
        return new RetrievalResult(values, judged, task.Queries.Length - judged, settings, scores) { Intervals = intervals, GalleryImages = task.Gallery.Length };
    }

    private static QueryScores Rank(float[] embeddings, int dimension, int[] labels, RetrievalTask task, EvaluationOptions options, CancellationToken cancel)
    {
        var perQuery = options.Metrics.Where(metric => !metric.NeedsClusters).Distinct().ToArray();
        var scores = new QueryScores(labels.Length, perQuery);
        var (queries, gallery) = Vectors(embeddings, dimension, task, options, cancel);
        if (options.ByDistance) (queries, gallery, dimension) = DistanceRanking.Lift(queries, gallery, dimension);
        if (task.IsLeaveOneOut && options.ReRanking is null && !perQuery.Any(metric => metric.NeedsFullRanking))
        {
            // The first few neighbours decide every metric: choosing them is cheaper than counting through all.
            var k = Math.Min(labels.Length - 1, Math.Max(task.Relevant.Max(), perQuery.Select(metric => metric.K).DefaultIfEmpty(1).Max()));
            NearestNeighbours.Visit(queries, gallery, dimension, k, excludeSelf: true, options.TileBytes, (query, _, found) =>
            {
                if (task.Relevant[query] > 0) scores.Set(query, RanksIn(found, labels, labels[query]), task.Relevant[query]);
            }, cancel);
            return scores;
        }
        var encoding = options.ReRanking is { } settings ? ReciprocalEncoding.Build(embeddings, dimension, task, settings, options.TileBytes, cancel) : null;
        FullRanking.Visit(queries, gallery, dimension, task, options.TileBytes, encoding is null ? null : encoding.Transform,
            (query, ranks) => scores.Set(task.Queries[query], ranks, task.Relevant[query]), cancel);
        return scores;
    }

    /// <summary>The vectors of queries and gallery; the same array where they are the same images, untouched.</summary>
    private static (float[] Queries, float[] Gallery) Vectors(float[] embeddings, int dimension, RetrievalTask task, EvaluationOptions options, CancellationToken cancel)
    {
        var gallery = task.Gallery.Length * dimension == embeddings.Length ? embeddings : RowMatrix.Take(embeddings, dimension, task.Gallery);
        var queries = task.Queries.Length * dimension == embeddings.Length ? embeddings : RowMatrix.Take(embeddings, dimension, task.Queries);
        if (options.DatabaseAugmentation is { } augmentation) gallery = augmentation.Apply(gallery, gallery, dimension, place => place, options.TileBytes, cancel);
        if (options.QueryExpansion is { } expansion) queries = expansion.Apply(queries, gallery, dimension, task.SelfOf, options.TileBytes, cancel);
        return (queries, gallery);
    }

    private static ReadOnlySpan<int> RanksIn(ReadOnlySpan<int> neighbours, int[] labels, int label)
    {
        var ranks = new List<int>();
        for (var i = 0; i < neighbours.Length; i++)
            if (labels[neighbours[i]] == label) ranks.Add(i + 1);
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranks);
    }

    private static (Dictionary<string, double> Values, KMeansSettings? Settings) Average(
        float[] embeddings, int dimension, int[] labels, RetrievalTask task, QueryScores scores, EvaluationOptions options, CancellationToken cancel)
    {
        KMeansSettings? settings = null;
        ContingencyTable? table = null;
        if (options.Metrics.Any(metric => metric.NeedsClusters))
        {
            var images = task.Queries.Union(task.Gallery).Order().ToArray();
            var (points, classes) = images.Length == labels.Length ? (embeddings, labels) : (RowMatrix.Take(embeddings, dimension, images), [.. images.Select(i => labels[i])]);
            settings = options.KMeans.Clusters > 0 ? options.KMeans : options.KMeans with { Clusters = classes.Distinct().Count() };
            table = ContingencyTable.Of(classes, KMeans.Cluster(points, dimension, settings, cancel).Labels);
        }
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var metric in options.Metrics)
        {
            values[metric.Name] = metric.Kind switch
            {
                MetricKind.Nmi => NormalisedMutualInformation.Of(table!),
                MetricKind.Ami => AdjustedMutualInformation.Of(table!),
                MetricKind.Purity => ClusterAgreement.Purity(table!),
                MetricKind.PairwiseF1 => ClusterAgreement.PairwiseF1(table!),
                _ => scores.Values[metric.Name].Where(value => !double.IsNaN(value)).Average(),
            };
        }
        return (values, settings);
    }

    private static string NothingToFind(int[] labels, EvaluationOptions options) => options.Protocol is null
        ? $"None of the {labels.Length} images shares its class with another: there is nothing to retrieve. Give classes at least two images."
        : $"No query among the {labels.Length} images has an image of its class in the gallery (from another camera, where cameras are given): check the roles.";

    private static void CheckFinite(float[] embeddings, int dimension)
    {
        for (var i = 0; i < embeddings.Length; i++)
        {
            if (!float.IsFinite(embeddings[i]))
                throw new InvalidDataException($"The embedding of image {i / dimension} holds {embeddings[i]}: the model has diverged. Train it with a lower learning rate.");
        }
    }
}

/// <summary>The averages by name ("recall@1", …, "map@r", "nmi") and what they rest on.</summary>
public sealed record RetrievalResult(
    IReadOnlyDictionary<string, double> Values, int Queries, int ExcludedQueries, KMeansSettings? KMeans, QueryScores PerQuery)
{
    /// <summary>By metric, where intervals were asked for and the metric has values per query.</summary>
    public IReadOnlyDictionary<string, Interval> Intervals { get; init; } = new Dictionary<string, Interval>(StringComparer.Ordinal);

    /// <summary>Images that queries look through.</summary>
    public int GalleryImages { get; init; }

    /// <summary>The share of queries whose nearest image is of their class, when recall@1, cmc@1 or precision@1 was asked for.</summary>
    public double Recall1 => First("recall@1", "cmc@1", "precision@1");

    public double MapAtR => First("map@r");

    private double First(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (Values.TryGetValue(name, out var value)) return value;
        return double.NaN;
    }
}
