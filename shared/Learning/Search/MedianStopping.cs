namespace DmlPipeline.Learning.Search;

/// <summary>A measurement on the way: after what share of the run, how good.</summary>
public sealed record CurvePoint(double Share, double Score);

/// <summary>
/// The median rule of Vizier (Golovin et al. 2017): a trial is stopped when its best so far lies below the median of what the finished ones had averaged up to
/// the same share of their runs.
/// </summary>
public static class MedianStopping
{
    private const int LeastFinished = 5;

    // Early values are mostly noise and warm-up.
    private const double LeastShare = 0.2;

    public static bool ShouldStop(IReadOnlyList<IReadOnlyList<CurvePoint>> finished, IReadOnlyList<CurvePoint> current)
    {
        if (current.Count == 0 || current[^1].Share < LeastShare) return false;
        var share = current[^1].Share;
        var averages = finished.Select(curve => curve.Where(point => point.Share <= share).Select(point => point.Score).ToArray())
            .Where(scores => scores.Length > 0).Select(scores => scores.Average()).Order().ToArray();
        if (averages.Length < LeastFinished) return false;
        var median = (averages[(averages.Length - 1) / 2] + averages[averages.Length / 2]) / 2;
        return current.Max(point => point.Score) < median;
    }
}
