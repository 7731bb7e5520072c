using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Deep spectral clustering: Law, Urtasun and Zemel, ICML 2017.</summary>
/// <remarks>
/// <code>
/// F = L2-normalised features [B, D],   Y = class indicators [B, K]
/// P = F (FᵀF + εI)⁻¹ Fᵀ: where the features' span can tell images apart;   C = Y (YᵀY)⁻¹ Yᵀ: the classes
/// loss = |P - C|² / K = (tr P² - 2 tr PC + K) / K
/// </code>
/// Both traces need [D, D] matrices only: tr P² = tr G² with G = (FᵀF + εI)⁻¹ FᵀF, and tr PC = tr (FᵀF + εI)⁻¹ FᵀCF, in which CF are the class means.
/// The paper has ε = 0, where a batch no larger than the embedding is spanned whatever the features are, and nothing is learned; and no division by K.
/// </remarks>
public sealed class SpectralClusteringLoss(double ridge) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "spectral-clustering", "Law et al., ICML 2017", "1/K |F (FᵀF + εI)⁻¹ Fᵀ - Y (YᵀY)⁻¹ Yᵀ|²", context => new SpectralClusteringLoss(context.Number("ridge")))
    {
        Options =
        [
            LossOption.Number("ridge", 0.01, 1e-6, 100, "ε as a share of the mean eigenvalue B/D; the paper has none, but batches much larger than the embedding"),
        ],
    };

    /// <summary>The batch is clustered as a whole.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        if (!pairs.Counted.any().item<bool>()) return [LossTerms.Nothing(input.Anchors)];
        var f = input.Normalised().Anchors;                                                          // [B, D]
        var (count, dimensions) = (f.shape[0], f.shape[1]);
        var same = pairs.Negatives.logical_not().to(f.dtype);                                        // [B, B], the image itself too
        var sizes = same.sum(1).unsqueeze(1);                                                        // [B, 1]: of each image's class
        var classes = (1 / sizes).sum();                                                             // K
        var means = (same / sizes).matmul(f);                                                        // [B, D]: C F

        var total = f.t().matmul(f);                                                                 // [D, D]
        var damped = total + (torch.eye(dimensions, dimensions, f.dtype, f.device) * (ridge * count / dimensions));
        var spanned = torch.linalg.solve(damped, total);                                             // G
        var explained = torch.linalg.solve(damped, f.t().matmul(means));                             // its trace is tr PC
        var loss = ((spanned * spanned.t()).sum() - (explained.diagonal().sum() * 2) + classes) / classes;
        return [new LossTerms(loss.unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, loss.device))];
    }
}
