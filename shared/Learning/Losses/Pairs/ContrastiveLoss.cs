using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Contrastive loss on all pairs of a batch: Hadsell, Chopra and LeCun, CVPR 2006; with the SNR distance: Yuan et al., CVPR 2019, arXiv 1904.02616.</summary>
/// <remarks>
/// <code>
/// positive pair: max(0, d - m_p)^k        negative pair: max(0, m_n - d)^k
/// </code>
/// Each kind is averaged over its pairs above zero, and the two means are added. k = 2 is the 2006 paper's, k = 1 what the Reality Check
/// (arXiv 2003.08505) compares. d is the Euclidean distance of L2-normalised features, or for snr-contrastive the SNR distance of the features as they are.
/// </remarks>
public sealed class ContrastiveLoss(Func<LossInput, torch.Tensor> distance, double positiveMargin, double negativeMargin, double power) : MetricLoss
{
    public static IReadOnlyList<LossEntry> Entries { get; } =
    [
        Variant("contrastive", "Hadsell et al., CVPR 2006", Distances.Euclidean),
        Variant("snr-contrastive", "Yuan et al., CVPR 2019, arXiv 1904.02616", Distances.SignalToNoise),
    ];

    private static LossEntry Variant(string name, string paper, Func<LossInput, torch.Tensor> distance) => new(
        name, paper, "max(0, d_p - m_p)^k + max(0, m_n - d_n)^k",
        context => new ContrastiveLoss(distance, context.Number("positive_margin"), context.Number("negative_margin"), context.Number("power")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("positive_margin", 0, 0, 100, "distance up to which positives are close enough; 0 as in the paper"),
            LossOption.Number("negative_margin", 1, 0, 100, "distance from which negatives are far enough; of 0..2 for unit vectors"),
            LossOption.Number("power", 1, 1, 2, "1 as in the Reality Check, 2 as in the 2006 paper"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = distance(input); // [A, R]
        return
        [
            LossTerms.Only(Raised(d - positiveMargin), pairs.Positives, nonZeroOnly: true),
            LossTerms.Only(Raised(negativeMargin - d), pairs.Negatives, nonZeroOnly: true),
        ];
    }

    private torch.Tensor Raised(torch.Tensor excess) => power == 1 ? excess.relu() : excess.relu().pow(power);
}
