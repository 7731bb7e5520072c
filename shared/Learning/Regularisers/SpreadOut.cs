using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Regularisers;

/// <summary>Global orthogonal regularisation: images of different classes as spread out as random directions. Zhang et al., ICCV 2017, arXiv 1708.06320, equation 9.</summary>
/// <remarks>
/// <code>
/// GOR = M₁² + max(0, M₂ - 1/D),   M₁, M₂ = first and second moment of the cosines of negative pairs
/// </code>
/// Random directions in D dimensions have M₁ = 0 and M₂ = 1/D. Without a negative pair there is nothing to spread.
/// </remarks>
public static class SpreadOut
{
    public static RegulariserEntry Entry { get; } = new("spread-out", "Zhang et al., ICCV 2017, arXiv 1708.06320", "M₁² + max(0, M₂ - 1/D), M₁, M₂ moments of the cosines of negative pairs", (1, "α; the paper's"))
    {
        OfFeatures = (_, input) => Of(input),
        IsSumOverAnchors = false,
    };

    /// <summary>GOR of a batch, as one term.</summary>
    public static LossTerms Of(LossInput input)
    {
        if (input.IsEmpty) return LossTerms.Nothing(input.Anchors);
        var s = Distances.Cosine(input).masked_select(BatchPairs.OfLabels(input).Negatives);
        if (s.numel() == 0) return LossTerms.Nothing(input.Anchors);
        var gor = s.mean().square() + (s.square().mean() - (1.0 / input.Anchors.shape[1])).relu();
        return new LossTerms(gor.unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, s.device));
    }
}
