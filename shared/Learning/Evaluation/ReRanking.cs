namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Re-ranking with k-reciprocal encoding (Zhong et al. 2017, arXiv 1701.08398): images that are among each other's nearest support each other. The
/// distance becomes (1 - lambda) d_J + lambda d, with d_J the Jaccard distance of the encodings and d the squared Euclidean distance as a share of the
/// query's largest. Defaults are the paper's for Market-1501.
/// </summary>
public sealed record ReRanking
{
    /// <summary>Neighbours that may be reciprocal.</summary>
    public int K1 { get; init; } = 20;

    /// <summary>Nearest encodings that are averaged; 1 averages nothing.</summary>
    public int K2 { get; init; } = 6;

    /// <summary>Weight of the original distance, 0 … 1.</summary>
    public double Lambda { get; init; } = 0.3;

    internal void Check()
    {
        if (K1 < 1 || K2 < 1 || Lambda is not (>= 0 and <= 1))
            throw new ArgumentException($"Re-ranking needs k1 and k2 of at least 1, not {K1} and {K2}, and a lambda of 0 to 1, not {Lambda}.");
    }
}
