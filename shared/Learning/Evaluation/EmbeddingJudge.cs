namespace DmlPipeline.Learning.Evaluation;

/// <summary>Everything that can be said about embeddings and class names: retrieval, clustering, episodes.</summary>
public static class EmbeddingJudge
{
    /// <summary>Retrieval metrics with, under names such as "5w1s", the accuracies of episodes; with intervals both have theirs.</summary>
    /// <param name="embeddings">[N, D], row-major, of unit length unless they are ranked by distance.</param>
    /// <param name="dimension">D.</param>
    /// <param name="labels">[N].</param>
    /// <param name="classNames">By label; the part before the last '/' is the class's group.</param>
    /// <param name="options">What to compute.</param>
    /// <param name="cancel">Stops between tiles and episodes.</param>
    /// <exception cref="InvalidDataException">There is nothing to retrieve, too little for an episode, or an embedding is not finite.</exception>
    public static (RetrievalResult Result, IReadOnlyList<EpisodeResult> Episodes) Judge(
        float[] embeddings, int dimension, int[] labels, IReadOnlyList<string> classNames, EvaluationOptions options, CancellationToken cancel)
    {
        var result = RetrievalMetrics.Compute(embeddings, dimension, labels, options, cancel);
        if (options.Episodes.Count == 0) return (result, []);

        var (queries, known, size) = options.ByDistance ? DistanceRanking.Lift(embeddings, embeddings, dimension) : (embeddings, embeddings, dimension);
        var groups = classNames.Select(Group).ToArray();
        var values = new Dictionary<string, double>(result.Values, StringComparer.Ordinal);
        var intervals = new Dictionary<string, Interval>(result.Intervals, StringComparer.Ordinal);
        var played = new List<EpisodeResult>();
        foreach (var settings in options.Episodes)
        {
            var episode = Episodes.Judge(queries, known, size, labels, groups, settings, cancel);
            played.Add(episode);
            values[settings.Name] = episode.Accuracy;
            if (options.Intervals is not null && episode.Interval is { } interval) intervals[settings.Name] = interval;
        }
        return (result with { Values = values, Intervals = intervals }, played);
    }

    private static string Group(string className) => className[..Math.Max(0, className.LastIndexOf('/'))];
}
