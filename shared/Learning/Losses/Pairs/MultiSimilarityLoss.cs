using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Multi-similarity loss: Wang et al., CVPR 2019, arXiv 1904.06627, equation 15.</summary>
/// <remarks>
/// <code>
/// loss(a) = 1/α log[1 + sum_p e^{-α (s_p - λ)}] + 1/β log[1 + sum_n e^{β (s_n - λ)}],   s = cosine similarity
/// </code>
/// With <c>mining</c>, only pairs count that compare badly with the anchor's hardest of the other kind (section 3.3): positives with
/// s &lt; max s_n + ε, negatives with s &gt; min s_p - ε.
/// </remarks>
public sealed class MultiSimilarityLoss(double alpha, double beta, double threshold, bool mines, double epsilon) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "multi-similarity", "Wang et al., CVPR 2019, arXiv 1904.06627", "1/α log[1 + sum_p e^{-α (s_p - λ)}] + 1/β log[1 + sum_n e^{β (s_n - λ)}]",
        context => new MultiSimilarityLoss(
            context.Number("alpha"), context.Number("beta"), context.Number("threshold"), context.Flag("mining"), context.Number("epsilon")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("alpha", 2, 1e-3, 1e3, "sharpness on positives; the paper's"),
            LossOption.Number("beta", 50, 1e-3, 1e3, "sharpness on negatives; the paper's"),
            LossOption.Number("threshold", 0.5, -1, 1, "λ, the similarity that divides positives from negatives; the authors' code (the paper says 1)"),
            LossOption.Flag("mining", true, "leave out pairs that are easy beside the anchor's hardest; part of the paper's method"),
            LossOption.Number("epsilon", 0.1, 0, 2, "ε of the mining; the paper's"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input); // [A, R]
        var (positives, negatives) = mines && input.Selection is null ? Mined(s, pairs) : (pairs.Positives, pairs.Negatives);
        var pull = Stable.Log1pSumExp((threshold - s) * alpha, positives) / alpha;
        var push = Stable.Log1pSumExp((s - threshold) * beta, negatives) / beta;
        return [LossTerms.Only(pull + push, pairs.Counted)];
    }

    private (torch.Tensor Positives, torch.Tensor Negatives) Mined(torch.Tensor s, BatchPairs pairs)
    {
        using var noGradient = torch.no_grad();
        var hardestNegative = s.masked_fill(pairs.Negatives.logical_not(), -1e3).amax([1], keepdim: true); // [A, 1]
        var hardestPositive = s.masked_fill(pairs.Positives.logical_not(), 1e3).amin([1], keepdim: true);
        return (pairs.Positives.logical_and(s.lt(hardestNegative + epsilon)), pairs.Negatives.logical_and(s.gt(hardestPositive - epsilon)));
    }
}
