using TorchSharp;

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
public sealed class IceLoss(double scale, bool sums) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "ice", "ICE (re-derived), after Wang et al., arXiv 1911.09976", "mean over positives i of -log(e^{s s_i} / (e^{s s_i} + sum_j e^{s s_j}))",
        context => new IceLoss(context.Number("scale"), context.Choice("positives") == "sum"))
    {
        TakesMiner = true,
        Options =
        [
            // 16: temperature 1/16, where fixed scales peak in the heated-up paper (arXiv 1809.04157) and softmax in the Reality Check (2003.08505).
            LossOption.Number("scale", 16, 1e-3, 1e4, "inverse temperature s; fixed scales peak near 16 in the heated-up paper and in the Reality Check"),
            LossOption.Choice("positives", "how an anchor's positives are put together: `mean` does not grow with the images per class, `sum` is as the paper writes it", "mean", "sum"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input) => [PerAnchor(input, scale * Heat, sums)];

    /// <summary>The loss of each anchor, [A]. Features are normalised here.</summary>
    public static LossTerms PerAnchor(LossInput input, double scale, bool sums)
    {
        if (input.IsEmpty) return LossTerms.Nothing(input.Anchors);
        var pairs = BatchPairs.Of(input);
        var logits = Distances.Cosine(input) * scale; // [A, R]

        // -log p(i|a) = log(1 + sum_j exp(s_j - s_i)) = softplus(logsumexp_j(s_j) - s_i)
        var pushed = Stable.LogSumExp(logits, pairs.Negatives); // [A, 1]
        var perPair = Stable.Softplus(pushed - logits);         // [A, 1] - [A, R] -> [A, R]

        var weight = pairs.Positives.to(perPair.dtype);
        var perAnchor = (perPair * weight).sum(1);              // [A]
        if (!sums) perAnchor = perAnchor / weight.sum(1).clamp_min(1);
        return LossTerms.Only(perAnchor, pairs.Counted);
    }
}
