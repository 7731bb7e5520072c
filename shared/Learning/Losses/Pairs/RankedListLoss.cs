using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Ranked list loss: Wang et al., CVPR 2019, arXiv 1903.03238, equations 5 to 8.</summary>
/// <remarks>
/// <code>
/// P* = positives with d > α - m,  N* = negatives with d &lt; α,  d Euclidean on L2-normalised features
/// loss(a) = (1 - λ) · mean_w over P* of (d - (α - m)) + λ · mean_w over N* of (α - d),   weights e^{T_p (d - (α - m))} and e^{T_n (α - d)}
/// </code>
/// Positives are pulled into a ball of radius α - m, negatives pushed out of one of radius α.
/// </remarks>
public sealed class RankedListLoss(double alpha, double margin, double positiveTemperature, double negativeTemperature, double imbalance) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "ranked-list", "Wang et al., CVPR 2019, arXiv 1903.03238", "(1-λ) mean_w(d_p - (α - m)) + λ mean_w(α - d_n)",
        context => new RankedListLoss(
            context.Number("alpha"), context.Number("margin"), context.Number("positive_temperature"), context.Number("negative_temperature"), context.Number("imbalance")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("alpha", 1.2, 0, 2, "α, the radius beyond which negatives are left alone; the paper's"),
            LossOption.Number("margin", 0.4, 0, 2, "m between the two radii; the paper's"),
            LossOption.Number("positive_temperature", 0, 0, 100, "T_p; 0 weighs positives equally (RLL-Simpler)"),
            LossOption.Number("negative_temperature", 10, 0, 100, "T_n; the paper's"),
            LossOption.Number("imbalance", 0.5, 0, 1, "λ; the paper's"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input); // [A, R]
        var pull = WeightedMean((d - (alpha - margin)).relu(), pairs.Positives, positiveTemperature);
        var push = WeightedMean((alpha - d).relu(), pairs.Negatives, negativeTemperature);
        return [LossTerms.Only((pull * (1 - imbalance)) + (push * imbalance), pairs.Counted)];
    }

    private static torch.Tensor WeightedMean(torch.Tensor excess, torch.Tensor mask, double temperature)
    {
        // The exponent is shifted by the row's largest, which cancels; the authors' code adds 1e-5 to each weight, which does not.
        var counted = mask.logical_and(excess.detach().gt(0));
        var exponent = (excess * temperature).masked_fill(counted.logical_not(), -1e9);
        var weight = (exponent - exponent.detach().amax([1], keepdim: true)).exp() * counted.to(excess.dtype);
        return (weight * excess).sum(1) / weight.sum(1).clamp_min(1e-12);
    }
}
