using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Triplet loss: Weinberger and Saul, JMLR 2009; Schroff et al. (FaceNet), CVPR 2015, arXiv 1503.03832.</summary>
/// <remarks>
/// <code>
/// loss(a, p, n) = max(0, d(a, p) - d(a, n) + m),   d Euclidean on L2-normalised features (or its square, as FaceNet has it)
/// all:            every triplet of the batch; mean over those above zero
/// semi-hard:      those with d(a, p) &lt; d(a, n) &lt; d(a, p) + m (FaceNet, section 3.2); mean over those
/// batch-hard:     the farthest positive with the nearest negative of each anchor: Hermans et al., arXiv 1703.07737, equation 5
/// easy-positive:  the nearest positive with the nearest negative of each anchor: Xuan et al., WACV 2020, arXiv 1904.04370
/// </code>
/// A miner, where there is one, takes the place of that choice: mean over its triplets above zero.
/// </remarks>
public sealed class TripletLoss(string triplets, double margin, bool squared) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "triplet", "Schroff et al., CVPR 2015, arXiv 1503.03832; Hermans et al., arXiv 1703.07737", "max(0, d_p - d_n + m)",
        context => new TripletLoss(context.Choice("triplets"), context.Number("margin"), context.Flag("squared")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Choice("triplets", "which triplets of a batch count; semi-hard neither collapses like the hardest nor idles like all", "semi-hard", "all", "batch-hard", "easy-positive"),
            LossOption.Number("margin", 0.2, 0, 2, "m; FaceNet's"),
            LossOption.Flag("squared", false, "squared distances, as FaceNet writes them; their gradient fades as pairs come close"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = squared ? Distances.SquaredEuclidean(input) : Distances.Euclidean(input); // [A, R]
        if (input.Selection is { } chosen) return [chosen.Triplets is { } mined ? Mined(d, mined) : AllTriplets(d, pairs)];
        return triplets switch
        {
            "batch-hard" => [PerAnchor(d, Farthest(d, pairs.Positives), pairs)],
            "easy-positive" => [PerAnchor(d, Nearest(d, pairs.Positives), pairs)],
            _ => [AllTriplets(d, pairs, farther: triplets == "semi-hard")],
        };
    }

    private LossTerms PerAnchor(torch.Tensor d, torch.Tensor positive, BatchPairs pairs) =>
        LossTerms.Only((positive - Nearest(d, pairs.Negatives) + margin).relu(), pairs.Counted);

    private LossTerms AllTriplets(torch.Tensor d, BatchPairs pairs, bool farther = false)
    {
        var found = pairs.Positives.nonzero(); // [P, 2]: anchor, positive
        if (found.shape[0] == 0) return LossTerms.Nothing(d);
        var anchors = found.narrow(1, 0, 1).squeeze(1);
        var rows = d.index_select(0, anchors);                              // [P, R]: to every reference
        var positive = rows.gather(1, found.narrow(1, 1, 1));               // [P, 1]
        var counted = pairs.Negatives.index_select(0, anchors);             // [P, R]
        if (farther)
        {
            using var noGradient = torch.no_grad();
            counted = counted.logical_and(rows.gt(positive));
        }
        return LossTerms.Only((positive - rows + margin).relu(), counted, nonZeroOnly: true) with { Anchors = anchors };
    }

    private LossTerms Mined(torch.Tensor d, Triplets mined)
    {
        if (mined.Anchors.numel() == 0) return LossTerms.Nothing(d);
        var (flat, row) = (d.reshape(-1), mined.Anchors * d.shape[1]);
        var excess = flat.index_select(0, row + mined.Positives) - flat.index_select(0, row + mined.Negatives) + margin; // [T]
        return LossTerms.Only(excess.relu(), torch.ones(excess.shape, torch.ScalarType.Bool, d.device), nonZeroOnly: true) with { Anchors = mined.Anchors };
    }

    // Masked distances stay finite: the hardest of nothing belongs to an anchor that does not count.
    private static torch.Tensor Farthest(torch.Tensor d, torch.Tensor mask) => d.masked_fill(mask.logical_not(), -1e3).amax([1]);

    private static torch.Tensor Nearest(torch.Tensor d, torch.Tensor mask) => d.masked_fill(mask.logical_not(), 1e3).amin([1]);
}
