using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Regularisers;

/// <summary>What keeps each feature vector in shape: its length, its mean. Features are taken as they are, before L2 normalisation.</summary>
public static class FeatureRegularisers
{
    public static IReadOnlyList<RegulariserEntry> Entries { get; } =
    [
        new("lp-norm", "Sohn, NIPS 2016 (its L2 term)", "mean |f|_p^k", (0.002, "N-pair loss's, which needs such a term"))
        {
            OfFeatures = (settings, input) => PerImage(LpNorm(input.Anchors, settings.Number("p"), settings.Number("power"))),
            OwnOptions =
            [
                LossOption.Number("p", 2, 1, 100, "which norm; 2 is the length"),
                LossOption.Number("power", 1, 1, 4, "k; 2 is N-pair loss's, 1 the peer library's"),
            ],
        },
        new("zero-mean", "-", "mean |sum_d f_d|", (1, "the peer library's")) { OfFeatures = (_, input) => PerImage(ZeroMean(input.Anchors)) },
        new("spherical", "Zhang et al., NeurIPS 2020, arXiv 2011.02785", "mean (|f| - μ)², μ the batch's mean length", (1, "η; in the range of the paper's"))
        {
            OfFeatures = (_, input) => PerImage(Spherical(input.Anchors, input.References)),
        },
    ];

    /// <summary>|f|_p^power of each row, [B, D] -> [B]. At zero its gradient, which does not exist, is zero.</summary>
    public static torch.Tensor LpNorm(torch.Tensor features, double p, double power)
    {
        if (features.shape[0] == 0) return features.sum(1);
        // In units of the largest number: its p-th power must not overflow.
        var unit = features.detach().abs().max().clamp_min(1e-12);
        var norm = p == 2 ? Stable.Sqrt((features / unit).square().sum(1)) : (features / unit).norm(1, false, (float)p);
        return power == 1 ? norm * unit : (norm * unit).pow(power);
    }

    /// <summary>|sum over the dimensions| of each row, [B, D] -> [B].</summary>
    public static torch.Tensor ZeroMean(torch.Tensor features) => features.sum(1).abs();

    /// <summary>(|f| - μ)² of each row, [B, D] -> [B]; μ is the mean length of a whole batch [R, D]. The gradient through μ is zero: deviations add up to it.</summary>
    public static torch.Tensor Spherical(torch.Tensor features, torch.Tensor batch)
    {
        if (features.shape[0] == 0) return features.sum(1);
        return (LpNorm(features, 2, 1) - LpNorm(batch.detach(), 2, 1).mean()).square();
    }

    private static LossTerms PerImage(torch.Tensor values) => new(values, torch.ones(values.shape, torch.ScalarType.Bool, values.device));
}
