using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>VICReg with labels: Bardes, Ponce and LeCun, ICLR 2022, arXiv 2105.04906, equations 1 to 6.</summary>
/// <remarks>
/// <code>
/// invariance = mean over positive pairs of |f_i - f_j|² / D
/// variance   = mean over dimensions of max(0, 1 - sqrt(var + 1e-4))
/// covariance = 1/D · sum over pairs of different dimensions of cov²
/// loss = λ invariance + μ variance + ν covariance
/// </code>
/// The paper's two views of an image are two images of a class here. Variance and covariance are those of the whole batch, once, where the paper has them for
/// each view. Features are taken as they are: the variance keeps their size.
/// </remarks>
public sealed class VicRegLoss(double invariance, double variance, double covariance) : MetricLoss
{
    private const double Epsilon = 1e-4;

    public static LossEntry Entry { get; } = new(
        "vicreg", "Bardes et al., ICLR 2022, arXiv 2105.04906", "λ mean |f - f⁺|² / D + μ mean max(0, 1 - std) + ν/D sum_{d≠e} cov_de²",
        context => new VicRegLoss(context.Number("invariance"), context.Number("variance"), context.Number("covariance")))
    {
        Options =
        [
            LossOption.Number("invariance", 25, 0, 1e4, "λ; the paper's"),
            LossOption.Number("variance", 25, 0, 1e4, "μ; the paper's"),
            LossOption.Number("covariance", 1, 0, 1e4, "ν; the paper's"),
        ],
    };

    /// <summary>Variance and covariance are those of the batch.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        // One class alone would be driven apart.
        if (!pairs.Counted.any().item<bool>()) return [LossTerms.Nothing(input.Anchors)];
        var (f, dimensions) = (input.Anchors, input.Anchors.shape[1]);
        var apart = Apart(f, input.References) * (invariance / dimensions);                          // [A, R]

        var centred = f - f.mean([0], keepdim: true);
        var products = centred.t().matmul(centred) / (f.shape[0] - 1);                               // [D, D]
        var spread = products.diagonal();                                                            // [D]
        var tooNarrow = (1 - (spread + Epsilon).sqrt()).relu() * variance;                           // [D]
        var entangled = ((products.square().sum() - spread.square().sum()) * (covariance / dimensions)).unsqueeze(0);
        return [LossTerms.Only(apart, pairs.Positives), All(tooNarrow), All(entangled)];
    }

    // |a - r|², expanded.
    private static torch.Tensor Apart(torch.Tensor a, torch.Tensor r) =>
        (a.square().sum(1).unsqueeze(1) + r.square().sum(1).unsqueeze(0) - (a.matmul(r.t()) * 2)).clamp_min(0);

    private static LossTerms All(torch.Tensor values) => new(values, torch.ones(values.shape, torch.ScalarType.Bool, values.device));
}
