using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Miners;

/// <summary>Positives that are too far apart and negatives that are too near, by fixed distances.</summary>
internal sealed class PairMarginMiner(MiningDistance distance, double positiveMargin, double negativeMargin) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "pair-margin", "Hadsell et al., CVPR 2006", "positives with d > m_p, negatives with d < m_n",
        settings => new PairMarginMiner(MiningDistance.Of(settings), settings.Number("positive_margin"), settings.Number("negative_margin")))
    {
        Options =
        [
            LossOption.Number("positive_margin", 0.2, 0, 100, "m_p; the peer library's"),
            LossOption.Number("negative_margin", 0.8, 0, 100, "m_n; the peer library's"),
            .. MiningDistance.Options,
        ],
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        return new PairSelection(pairs.Positives.logical_and(d.gt(positiveMargin)), pairs.Negatives.logical_and(d.lt(negativeMargin)));
    }
}
