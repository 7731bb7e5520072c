using TorchSharp;
using F = TorchSharp.torch.nn.functional;

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
    /// <inheritdoc />
    public override AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels) => PerAnchor(features, labels, scale * Heat, margin);

    /// <summary>The loss of each anchor. Features [B, D], normalised here; labels [B] int64.</summary>
    public static AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels, double scale, double margin)
    {
        if (features.shape[0] == 0) return Nothing(features);
        var pairs = BatchPairs.Of(labels);
        var f = F.normalize(features);
        var s = f.matmul(f.t()); // [B, D] x [D, B] -> [B, B]

        var pull = Stable.LogSumExp(PositiveLogits(s, scale, margin), pairs.Positives); // [B, 1]
        var push = Stable.LogSumExp(NegativeLogits(s, scale, margin), pairs.Negatives); // [B, 1]
        return Only(Stable.Softplus(pull + push).squeeze(1), pairs.Counted);
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
