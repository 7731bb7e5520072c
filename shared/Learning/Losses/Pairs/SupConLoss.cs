using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Supervised contrastive loss: Khosla et al., NeurIPS 2020, arXiv 2004.11362, equation 2 (the sum outside the logarithm).</summary>
/// <remarks>
/// <code>
/// loss(a) = mean over positives p of -log(e^{s_p / t} / sum over all others k of e^{s_k / t}),   s = cosine similarity, t = temperature
/// </code>
/// Other than in ICE and NT-Xent, the anchor's other positives stand in the denominator as well.
/// </remarks>
public sealed class SupConLoss(double temperature) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "supcon", "Khosla et al., NeurIPS 2020, arXiv 2004.11362", "mean_p -log(e^{s_p/t} / sum_{k≠a} e^{s_k/t})", context => new SupConLoss(context.Number("temperature")))
    {
        TakesMiner = true,
        Options = [LossOption.Number("temperature", 0.1, 1e-4, 100, "t; the paper's")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var logits = Distances.Cosine(input) * (Heat / temperature);                                            // [A, R]
        var all = Stable.LogSumExp(logits, pairs.Positives.logical_or(pairs.Negatives));                        // [A, 1]
        var weight = pairs.Positives.to(logits.dtype);
        var perAnchor = ((all - logits) * weight).sum(1) / weight.sum(1).clamp_min(1);                          // [A]
        return [LossTerms.Only(perAnchor, pairs.Counted)];
    }
}
