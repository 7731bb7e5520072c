using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Chooses, from the features of a batch, the pairs or triplets that a loss learns from.</summary>
public abstract class Miner
{
    /// <summary>Whether each anchor's pairs are chosen without regard to other anchors, so that anchors can be worked off in chunks.</summary>
    public virtual bool IsPerAnchor => true;

    /// <summary>The choice for anchors [A, D] among references [R, D]; without gradient. What is drawn at random is drawn from the torch generator.</summary>
    public PairSelection Select(LossInput input)
    {
        using var noGradient = torch.no_grad();
        var constant = input with { Anchors = input.Anchors.detach(), References = input.References.detach(), Selection = null };
        var pairs = BatchPairs.OfLabels(constant);
        // Extremes over no anchor, or over no reference, do not exist.
        return constant.IsEmpty ? new PairSelection(pairs.Positives, pairs.Negatives) : Choose(constant, pairs);
    }

    /// <summary>The choice among the pairs of the labels, of which there may be none.</summary>
    protected abstract PairSelection Choose(LossInput input, BatchPairs pairs);

    /// <summary>The largest of each row under the mask, [A, R] -> [A, 1]; minus infinity for a row without any.</summary>
    protected static torch.Tensor Largest(torch.Tensor d, torch.Tensor mask) => d.masked_fill(mask.logical_not(), double.NegativeInfinity).amax([1], keepdim: true);

    /// <summary>The smallest of each row under the mask, [A, R] -> [A, 1]; infinity for a row without any.</summary>
    protected static torch.Tensor Smallest(torch.Tensor d, torch.Tensor mask) => d.masked_fill(mask.logical_not(), double.PositiveInfinity).amin([1], keepdim: true);
}
