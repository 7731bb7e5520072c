namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// The retrieval metrics of one query, as functions of where its relevant images were found: r_1 &lt; r_2 &lt; … are their ranks from 1 in the
/// ranking of the gallery, R is how many there are. A ranking cut off at depth d lacks the ranks beyond d; metrics that would need them say so.
/// </summary>
internal static class RankFormulas
{
    /// <summary>recall@k, the same as cmc@k: 1 when a relevant image is among the first k, r_1 &lt;= k.</summary>
    public static double Recall(ReadOnlySpan<int> ranks, int k) => ranks.Length > 0 && ranks[0] <= k ? 1 : 0;

    /// <summary>precision@k: the share of relevant images among the first k.</summary>
    public static double Precision(ReadOnlySpan<int> ranks, int k) => (double)Within(ranks, k) / k;

    /// <summary>R-precision: precision@R.</summary>
    public static double RPrecision(ReadOnlySpan<int> ranks, int relevant) => (double)Within(ranks, relevant) / relevant;

    /// <summary>MAP@R (Musgrave, Belongie and Lim 2020): (1/R) times the sum, over relevant images with r_i &lt;= R, of the precision at r_i, which is i / r_i.</summary>
    public static double AveragePrecisionAtR(ReadOnlySpan<int> ranks, int relevant) => SumOfPrecisions(ranks[..Within(ranks, relevant)]) / relevant;

    /// <summary>Average precision: (1/R) times the sum of i / r_i over all relevant images. Needs the full ranking.</summary>
    public static double AveragePrecision(ReadOnlySpan<int> ranks, int relevant) => SumOfPrecisions(ranks) / relevant;

    /// <summary>Reciprocal rank: 1 / r_1. Needs the full ranking.</summary>
    public static double ReciprocalRank(ReadOnlySpan<int> ranks) => ranks.Length > 0 ? 1.0 / ranks[0] : 0;

    public static double Of(Metric metric, ReadOnlySpan<int> ranks, int relevant) => metric.Kind switch
    {
        MetricKind.Recall or MetricKind.Cmc => Recall(ranks, metric.K),
        MetricKind.Precision => Precision(ranks, metric.K),
        MetricKind.RPrecision => RPrecision(ranks, relevant),
        MetricKind.MapAtR => AveragePrecisionAtR(ranks, relevant),
        MetricKind.Map => AveragePrecision(ranks, relevant),
        MetricKind.Mrr => ReciprocalRank(ranks),
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "This metric has no value per query."),
    };

    private static int Within(ReadOnlySpan<int> ranks, int depth)
    {
        var count = 0;
        while (count < ranks.Length && ranks[count] <= depth) count++;
        return count;
    }

    private static double SumOfPrecisions(ReadOnlySpan<int> ranks)
    {
        double sum = 0;
        for (var i = 0; i < ranks.Length; i++) sum += (i + 1.0) / ranks[i];
        return sum;
    }
}
