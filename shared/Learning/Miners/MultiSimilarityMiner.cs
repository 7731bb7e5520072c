using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Miners;

/// <summary>Pairs that compare badly with the anchor's hardest of the other kind: Wang et al., CVPR 2019, arXiv 1904.06627, section 3.3.</summary>
/// <remarks>
/// <code>
/// positives with s &lt; max s_n + ε,   negatives with s > min s_p - ε,   s = cosine similarity
/// </code>
/// </remarks>
public sealed class MultiSimilarityMiner(double epsilon) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "multi-similarity", "Wang et al., CVPR 2019, arXiv 1904.06627", "positives with s < max s_n + ε, negatives with s > min s_p - ε", settings => new MultiSimilarityMiner(settings.Number("epsilon")))
    {
        Options = [LossOption.Number("epsilon", 0.1, 0, 2, "ε; the paper's")],
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var s = Distances.Cosine(input); // [A, R]
        return new PairSelection(
            pairs.Positives.logical_and(s.lt(Largest(s, pairs.Negatives) + epsilon)),
            pairs.Negatives.logical_and(s.gt(Smallest(s, pairs.Positives) - epsilon)));
    }
}
