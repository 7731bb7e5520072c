using TorchSharp;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>ICE (re-derived): instance cross entropy, after Wang et al., arXiv 1911.09976.</summary>
/// <remarks>
/// The paper's full text and code were not available to us. This form is derived from its abstract and its author's notes; treat it as such.
/// With L2-normalised f, scale s, an anchor a, its positives P and its negatives N, each positive i is matched alone against all negatives:
/// <code>
/// p(i|a) = exp(s f_a·f_i) / (exp(s f_a·f_i) + sum over j in N of exp(s f_a·f_j))
/// loss(a) = sum or mean over i in P of -log p(i|a)
/// </code>
/// Per positive the push on the negatives equals the pull on the positive (both 1 - p), and s decides how sharply the weight falls on the hard ones:
/// reweighting instead of mining. An anchor without a positive or without a negative does not count. Same pairs as NT-Xent with labels at
/// temperature 1/s.
/// </remarks>
public sealed class IceLoss(double scale, PositiveReduction positives) : MetricLoss
{
    /// <inheritdoc />
    public override AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels) => PerAnchor(features, labels, scale * Heat, positives);

    /// <summary>The loss of each anchor. Features [B, D], normalised here; labels [B] int64.</summary>
    public static AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels, double scale, PositiveReduction positives)
    {
        if (features.shape[0] == 0) return Nothing(features);
        var pairs = BatchPairs.Of(labels);
        var f = F.normalize(features);
        var logits = f.matmul(f.t()) * scale; // [B, D] x [D, B] -> [B, B]

        // -log p(i|a) = log(1 + sum_j exp(s_j - s_i)) = softplus(logsumexp_j(s_j) - s_i)
        var pushed = Stable.LogSumExp(logits, pairs.Negatives); // [B, 1]
        var perPair = Stable.Softplus(pushed - logits);         // [B, 1] - [B, B] -> [B, B]

        var weight = pairs.Positives.to(torch.ScalarType.Float32);
        var perAnchor = (perPair * weight).sum(1);              // [B]
        if (positives == PositiveReduction.Mean) perAnchor = perAnchor / weight.sum(1).clamp_min(1);
        return Only(perAnchor, pairs.Counted);
    }
}
