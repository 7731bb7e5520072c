using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

/// <summary>The metrics from their definitions: every query sorts everything it may see.</summary>
internal static class NaiveRetrieval
{
    public static Metric[] Metrics { get; } =
        [.. new[] { "recall@1", "recall@3", "recall@500", "cmc@5", "precision@1", "precision@4", "precision@100", "r-precision", "map@r", "map", "mrr" }.Select(Metric.Parse)];

    public static void ShouldAgree(RetrievalResult result, float[] points, int dimension, int[] labels, QueryGallery? protocol, IReadOnlyList<Metric> metrics)
    {
        var values = metrics.ToDictionary(metric => metric.Name, _ => new List<double>());
        var excluded = 0;
        for (var q = 0; q < labels.Length; q++)
        {
            if (protocol?.Roles?[q] is ImageRole.Gallery or ImageRole.Junk) continue;
            var hits = Seen(q, labels, protocol).OrderByDescending(i => Points.Dot(points, dimension, q, i)).Select(i => labels[i] == labels[q]).ToArray();
            if (!hits.Contains(true))
            {
                excluded++;
                foreach (var metric in metrics) double.IsNaN(result.PerQuery.Values[metric.Name][q]).ShouldBeTrue();
                continue;
            }
            foreach (var metric in metrics)
            {
                values[metric.Name].Add(Of(metric, hits));
                result.PerQuery.Values[metric.Name][q].ShouldBe(values[metric.Name][^1], 1e-9, $"{metric.Name} of query {q}");
            }
        }
        result.ExcludedQueries.ShouldBe(excluded);
        result.Values.Keys.ShouldBe(metrics.Select(metric => metric.Name));
        foreach (var (name, all) in values)
        {
            result.Queries.ShouldBe(all.Count);
            result.Values[name].ShouldBe(all.Average(), 1e-9, name);
        }
    }

    private static IEnumerable<int> Seen(int query, int[] labels, QueryGallery? protocol) => Enumerable.Range(0, labels.Length).Where(i =>
        i != query
        && protocol?.Roles?[i] is null or ImageRole.Both or ImageRole.Gallery
        && !(protocol?.Cameras is { } cameras && cameras[i] >= 0 && cameras[i] == cameras[query] && labels[i] == labels[query]));

    private static double Of(Metric metric, bool[] hits)
    {
        var relevant = hits.Count(hit => hit);
        return metric.Kind switch
        {
            MetricKind.Recall or MetricKind.Cmc => hits.Take(metric.K).Contains(true) ? 1 : 0,
            MetricKind.Precision => (double)hits.Take(metric.K).Count(hit => hit) / metric.K,
            MetricKind.RPrecision => (double)hits.Take(relevant).Count(hit => hit) / relevant,
            MetricKind.MapAtR => SumOfPrecisions(hits[..relevant]) / relevant,
            MetricKind.Map => SumOfPrecisions(hits) / relevant,
            _ => 1.0 / (1 + Array.IndexOf(hits, true)),
        };
    }

    private static double SumOfPrecisions(bool[] hits) =>
        Enumerable.Range(0, hits.Length).Where(i => hits[i]).Sum(i => (double)hits.Take(i + 1).Count(hit => hit) / (i + 1));
}
