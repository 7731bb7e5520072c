using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Hard-aware cascade (HDC): Yuan, Yang and Zhang, ICCV 2017, arXiv 1611.05720, on one embedding.</summary>
/// <remarks>
/// <code>
/// positive pair: d        negative pair: max(0, m - d),      d Euclidean on L2-normalised features
/// level 1: all pairs;  level k: the share h_k of level k - 1 with the largest losses, positives and negatives each on their own
/// loss = sum over levels of (mean over its positives + mean over its negatives)
/// </code>
/// The paper takes the embeddings of its three levels at three depths of the network; here one embedding goes through all of them, so that a pair counts
/// the more often the harder it is.
/// </remarks>
public sealed class CascadeLoss(double margin, IReadOnlyList<double> shares) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "hdc", "Yuan et al., ICCV 2017, arXiv 1611.05720", "sum over levels of mean d_p + mean max(0, m - d_n), each level the hardest pairs of the one before",
        context => new CascadeLoss(context.Number("margin"), [1, context.Number("second_level"), context.Number("third_level")]))
    {
        Options =
        [
            LossOption.Number("margin", 1, 0, 2, "m, of 0..2 for unit vectors; as contrastive"),
            LossOption.Number("second_level", 0.5, 0, 1, "share of the pairs that reach the second level; the paper's 50 %"),
            LossOption.Number("third_level", 0.2, 0, 1, "share of those that reach the third; the paper's 20 %"),
        ],
    };

    /// <summary>The hardest pairs are those of the batch.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input); // [A, R]
        var (positives, negatives) = (d.masked_select(pairs.Positives), (margin - d).relu().masked_select(pairs.Negatives));
        if (positives.numel() == 0 || negatives.numel() == 0) return [LossTerms.Nothing(input.Anchors)];
        return [.. Levels(positives), .. Levels(negatives)];
    }

    private IEnumerable<LossTerms> Levels(torch.Tensor losses)
    {
        var hardestFirst = losses.sort(0, descending: true).Values;
        var count = losses.shape[0];
        foreach (var share in shares)
        {
            // At least the hardest pair goes on.
            count = Math.Max(1, (long)Math.Ceiling(share * count));
            var level = hardestFirst.narrow(0, 0, count);
            yield return new LossTerms(level, torch.ones(level.shape, torch.ScalarType.Bool, level.device));
        }
    }
}
