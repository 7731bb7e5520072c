using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Pairs of all distances alike: up to so many from each interval between the smallest and the largest distance, positives and negatives for themselves.</summary>
/// <remarks>The peer library draws with replacement, so that a pair may count several times; here it counts once.</remarks>
internal sealed class UniformHistogramMiner(MiningDistance distance, int bins, int positivesPerBin, int negativesPerBin) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "uniform-histogram", "after Wu et al., ICCV 2017, arXiv 1706.07567", "random pairs, as many from each interval of distances, positives and negatives for themselves",
        settings => new UniformHistogramMiner(
            MiningDistance.Of(settings), (int)settings.Number("bins"), (int)settings.Number("positives_per_bin"), (int)settings.Number("negatives_per_bin")))
    {
        Options =
        [
            LossOption.Whole("bins", 100, 1, 100_000, "intervals; the peer library's"),
            LossOption.Whole("positives_per_bin", 10, 1, 1_000_000, "the peer library's"),
            LossOption.Whole("negatives_per_bin", 10, 1, 1_000_000, "the peer library's"),
            .. MiningDistance.Options,
        ],
    };

    /// <inheritdoc />
    public override bool IsPerAnchor => false;

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        return new PairSelection(Draw(d, pairs.Positives, positivesPerBin), Draw(d, pairs.Negatives, negativesPerBin));
    }

    private torch.Tensor Draw(torch.Tensor d, torch.Tensor mask, int perBin)
    {
        var places = mask.reshape(-1).nonzero().squeeze(1);                                    // [N]
        var chosen = torch.zeros([d.numel()], torch.ScalarType.Bool, d.device);
        if (places.numel() == 0) return chosen.reshape(d.shape);
        var values = d.reshape(-1).index_select(0, places);
        var (low, high) = (values.min(), values.max());
        var bin = ((values - low) / (high - low).clamp_min(1e-12) * bins).floor().clamp(0, bins - 1).to(torch.ScalarType.Int64);

        // In random order first, then by bin: the first so many of each bin are a draw without replacement.
        var order = torch.rand([places.shape[0]]).to(d.device).argsort();
        var (sorted, byBin) = bin.index_select(0, order).sort(0, false, true);
        var sizes = torch.bincount(sorted, null, bins);
        var starts = sizes.cumsum(0) - sizes;                                                  // [bins]
        var rank = torch.arange(0, places.shape[0], 1, torch.ScalarType.Int64, d.device) - starts.index_select(0, sorted);
        var drawn = order.index_select(0, byBin).masked_select(rank.lt(perBin));
        return chosen.index_fill_(0, places.index_select(0, drawn), true).reshape(d.shape);
    }
}
