using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>The triplets that <see cref="Data.FixedTripletSampler"/> has packed: images 3t, 3t + 1 and 3t + 2 of a batch are anchor, positive and negative.</summary>
public sealed class AsSampledMiner : Miner
{
    public static MinerEntry Entry { get; } = new(
        "as-sampled", "-", "triplets: the first three images of the batch, the next three, …; goes with `sampler: {kind: fixed-triplets}`", _ => new AsSampledMiner());

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var (anchors, references) = (pairs.Positives.shape[0], pairs.Positives.shape[1]);
        if (input.SelfOffset is not { } offset) throw new InvalidOperationException("Triplets as they were sampled lie within a batch: its anchors must be among its references.");
        var own = torch.arange(0, anchors, 1, torch.ScalarType.Int64, input.AnchorLabels.device);
        // A last incomplete triplet has no negative.
        var first = own.masked_select((own + offset).remainder(3).eq(0).logical_and((own + offset + 2).lt(references)));
        return PairSelection.Of(new Triplets(first, first + offset + 1, first + offset + 2), anchors, references);
    }
}
