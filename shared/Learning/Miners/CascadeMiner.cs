using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>The hardest share of a batch's pairs: one level of the hard-aware deeply cascaded embedding, Yuan et al., ICCV 2017, arXiv 1611.05720.</summary>
/// <remarks>The share is of all positive pairs and of all negative pairs of the batch, so that anchors without hard pairs may be left with none. The loss <c>hdc</c> has all levels.</remarks>
internal sealed class CascadeMiner(MiningDistance distance, double share) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "hdc", "Yuan et al., ICCV 2017, arXiv 1611.05720", "the farthest share of all positive pairs and the nearest share of all negative pairs",
        settings => new CascadeMiner(MiningDistance.Of(settings), settings.Number("share")))
    {
        Options = [LossOption.Number("share", 0.5, 1e-6, 1, "of the pairs; the paper's second level"), .. MiningDistance.Options],
    };

    /// <inheritdoc />
    public override bool IsPerAnchor => false;

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        return new PairSelection(Hardest(d, pairs.Positives, farthest: true), Hardest(d, pairs.Negatives, farthest: false));
    }

    private torch.Tensor Hardest(torch.Tensor d, torch.Tensor mask, bool farthest)
    {
        var places = mask.reshape(-1).nonzero().squeeze(1);                                                    // [N]
        var count = (int)Math.Ceiling(share * places.shape[0]);
        var chosen = d.reshape(-1).index_select(0, places).topk(count, 0, largest: farthest, sorted: false).indexes;
        return torch.zeros([d.numel()], torch.ScalarType.Bool, d.device).index_fill_(0, places.index_select(0, chosen), true).reshape(d.shape);
    }
}
