using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Circle loss over the pairs of a batch, per anchor: Sun et al., CVPR 2020, arXiv 2002.10857, equation 6.</summary>
/// <remarks>
/// <code>
/// loss(a) = log[1 + sum_j exp(g α_n (s_n - m)) · sum_i exp(-g α_p (s_p - (1 - m)))]
/// α_p = max(0, 1 + m - s_p),  α_n = max(0, s_n + m)        (equation 5), s = cosine similarity, g = scale, m = margin
/// </code>
/// The weights α are constants to the gradient, which gives the gradients printed as equations 9 and 10. Computed as
/// softplus(logsumexp + logsumexp), which cannot overflow at scale 256. An anchor without a positive or without a negative does not count.
/// </remarks>
public sealed class CircleLoss(double scale, double margin) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "circle", "Sun et al., CVPR 2020, arXiv 2002.10857", "log[1 + sum_j e^{g α_n (s_n - m)} · sum_i e^{-g α_p (s_p - 1 + m)}]",
        context => new CircleLoss(context.Number("scale"), context.Number("margin")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("scale", 80, 1e-3, 1e4, "γ; the paper's setting for fine-grained retrieval (section 4.1)"),
            LossOption.Number("margin", 0.4, -0.5, 0.999, "relaxation m; as the paper for fine-grained retrieval"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input) => [PerAnchor(input, scale * Heat, margin)];

    /// <summary>The loss of each anchor, [A]. Features are normalised here.</summary>
    public static LossTerms PerAnchor(LossInput input, double scale, double margin)
    {
        if (input.IsEmpty) return LossTerms.Nothing(input.Anchors);
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input); // [A, R]

        var pull = Stable.LogSumExp(PositiveLogits(s, scale, margin), pairs.Positives); // [A, 1]
        var push = Stable.LogSumExp(NegativeLogits(s, scale, margin), pairs.Negatives); // [A, 1]
        return LossTerms.Only(Stable.Softplus(pull + push).squeeze(1), pairs.Counted);
    }

    internal static torch.Tensor PositiveLogits(torch.Tensor s, double scale, double margin)
    {
        var weight = (1 + margin - s.detach()).clamp_min(0);
        return weight * (s - (1 - margin)) * -scale;
    }

    internal static torch.Tensor NegativeLogits(torch.Tensor s, double scale, double margin)
    {
        var weight = (s.detach() + margin).clamp_min(0);
        return weight * (s - margin) * scale;
    }
}
