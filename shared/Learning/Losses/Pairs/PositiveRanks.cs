using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Who stands before each positive in its anchor's ranking, softened by a sigmoid: what the losses of ranks have in common. P positive pairs, A anchors, R references.</summary>
/// <param name="Anchors">[P] int64, places among the anchors.</param>
/// <param name="Ahead">[P, R] sigmoid((s_k - s_p) / t): near 1 where reference k stands before the positive p, one half for p itself.</param>
/// <param name="Positives">[P, R] 1 where the reference is a positive of the anchor, p itself among them.</param>
/// <param name="Negatives">[P, R] 1 where it is a negative.</param>
internal readonly record struct PositiveRanks(torch.Tensor Anchors, torch.Tensor Ahead, torch.Tensor Positives, torch.Tensor Negatives)
{
    /// <summary>Of the similarities s [A, R], at temperature t; null where no anchor that counts has a positive.</summary>
    public static PositiveRanks? Of(torch.Tensor s, BatchPairs pairs, double temperature)
    {
        var found = pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)).nonzero();                    // [P, 2]
        if (found.shape[0] == 0) return null;
        var anchors = found.narrow(1, 0, 1).squeeze(1);
        var rows = s.index_select(0, anchors);                                                            // [P, R]
        var ahead = ((rows - rows.gather(1, found.narrow(1, 1, 1))) / temperature).sigmoid();
        return new PositiveRanks(
            anchors, ahead, pairs.Positives.index_select(0, anchors).to(s.dtype), pairs.Negatives.index_select(0, anchors).to(s.dtype));
    }

    /// <summary>The sum over each anchor's positives, [P] -> [A].</summary>
    public torch.Tensor PerAnchor(torch.Tensor values, long anchors) => torch.zeros([anchors], values.dtype, values.device).scatter_add(0, Anchors, values);
}
