using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Regularisers;

/// <summary>What keeps the cosines of a batch's pairs in shape: alike among each other, on the right side of a threshold. Means are over the pairs of the whole batch.</summary>
public static class PairRegularisers
{
    public static IReadOnlyList<RegulariserEntry> Entries { get; } =
    [
        new("intra-pair-variance", "Yu and Tao, ICCV 2019", "mean_p max(0, (1 - ε_p) μ_p - s_p)² + mean_n max(0, s_n - (1 + ε_n) μ_n)², μ the mean cosines", (1, "the peer library's; made to go with `tuplet-margin`"))
        {
            OfFeatures = (settings, input) => OfPairs(input, (s, pairs) => IntraPairVariance(s, pairs, settings.Number("positive_slack"), settings.Number("negative_slack"))),
            IsSumOverAnchors = false,
            OwnOptions =
            [
                LossOption.Number("positive_slack", 0.01, 0, 1, "ε_p: share of the mean by which a positive pair may fall short of it; the peer library's"),
                LossOption.Number("negative_slack", 0.01, 0, 1, "ε_n: share of the mean by which a negative pair may exceed it; the peer library's"),
            ],
        },
        new("threshold-consistent-margin", "Zhang et al., ICLR 2024, arXiv 2307.04047", "λ_p mean of m_p - s_p over s_p ≤ m_p + λ_n mean of s_n - m_n over s_n ≥ m_n", (1, "the paper's"))
        {
            OfFeatures = (settings, input) => OfPairs(input, (s, pairs) => ThresholdConsistentMargin(s, pairs, settings)),
            IsSumOverAnchors = false,
            OwnOptions =
            [
                LossOption.Number("positive_margin", 0.9, -1, 1, "m_p: the cosine that all positive pairs are to have; the peer library's"),
                LossOption.Number("negative_margin", 0.5, -1, 1, "m_n: the cosine that no negative pair is to have; the peer library's"),
                LossOption.Number("positive_weight", 1, 0, 1e6, "λ_p; the paper's"),
                LossOption.Number("negative_weight", 1, 0, 1e6, "λ_n; the paper's"),
            ],
        },
    ];

    private static LossTerms OfPairs(LossInput input, Func<torch.Tensor, BatchPairs, torch.Tensor> value)
    {
        if (input.IsEmpty) return LossTerms.Nothing(input.Anchors);
        var s = Distances.Cosine(input);
        return new LossTerms(value(s, BatchPairs.OfLabels(input)).unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, s.device));
    }

    private static torch.Tensor IntraPairVariance(torch.Tensor s, BatchPairs pairs, double positiveSlack, double negativeSlack)
    {
        var few = (Mean(s, pairs.Positives) * (1 - positiveSlack)) - s;
        var many = s - (Mean(s, pairs.Negatives) * (1 + negativeSlack));
        return Mean(few.relu().square(), pairs.Positives) + Mean(many.relu().square(), pairs.Negatives);
    }

    private static torch.Tensor ThresholdConsistentMargin(torch.Tensor s, BatchPairs pairs, RegulariserSettings settings)
    {
        var (low, high) = (settings.Number("positive_margin") - s, s - settings.Number("negative_margin"));
        return (Mean(low, pairs.Positives.logical_and(low.detach().ge(0))) * settings.Number("positive_weight"))
            + (Mean(high, pairs.Negatives.logical_and(high.detach().ge(0))) * settings.Number("negative_weight"));
    }

    /// <summary>The mean over the pairs in the mask, zero without any.</summary>
    private static torch.Tensor Mean(torch.Tensor values, torch.Tensor mask) =>
        values.masked_fill(mask.logical_not(), 0).sum() / mask.to(values.dtype).sum().clamp_min(1);
}
