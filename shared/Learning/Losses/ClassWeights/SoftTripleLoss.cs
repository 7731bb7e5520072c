using DmlPipeline.Learning.Regularisers;
using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>SoftTriple: Qian et al., ICCV 2019, arXiv 1909.05235, equations 6 to 9.</summary>
/// <remarks>
/// <code>
/// S_c = sum over the class's K centres k of softmax_k(s_k / γ) s_k,   s = cosine of image and centre
/// loss(x) = -log softmax_y(λ (S_y - δ), λ S_c)   +   τ / (M K (K - 1)) · sum over classes and pairs of their centres, each pair once, of |w_k - w_l|
/// </code>
/// The second term draws centres of a class together, so that it uses no more of them than it needs.
/// </remarks>
public sealed class SoftTripleLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "soft-triple", "Qian et al., ICCV 2019, arXiv 1909.05235", "-log softmax_y(λ (S_y - δ), λ S_c) + τ/2 mean |w_k - w_l|",
        context =>
        {
            var centres = (int)context.Number("centres");
            return new SoftTripleLoss(
                new ClassWeights(context, perClass: centres), centres, context.Number("scale"), context.Number("gamma"), context.Number("margin"),
                context.Number("centre_regularisation"));
        })
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 20, 1e-3, 1e4, "λ; the paper's"),
            LossOption.Number("gamma", 0.1, 1e-4, 100, "γ, how softly a class's centres are chosen between; the paper's"),
            LossOption.Number("margin", 0.01, 0, 1, "δ; the paper's"),
            LossOption.Whole("centres", 10, 1, 100, "K centres per class; the paper's"),
            LossOption.Number("centre_regularisation", 0.2, 0, 100, "τ; the paper's"),
            .. ClassWeights.Options,
        ],
    };

    private readonly int perClass;
    private readonly double scale, gamma, margin, regularisation;

    /// <summary>Compares with the given centres, K for each class.</summary>
    public SoftTripleLoss(ClassWeights centres, int perClass, double scale, double gamma, double margin, double regularisation) =>
        (ClassWeights, this.perClass, this.scale, this.gamma, this.margin, this.regularisation) = (centres, perClass, scale, gamma, margin, regularisation);

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, centres, _) = ClassWeights.For(input);
        var loss = PerImage(input.Anchors, labels, centres, perClass, scale * Heat, gamma, margin);
        return regularisation == 0 || perClass == 1 ? [loss] : [loss, ClassWeightRegularisers.SparseCentres(centres, perClass).Times(regularisation) with { IsRegulariser = true }];
    }

    /// <summary>The loss of each image. Features [B, D], centres [M · K, D], both normalised here; labels [B] int64.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor centres, int perClass, double scale, double gamma, double margin)
    {
        if (features.shape[0] == 0) return LossTerms.Nothing(features);
        var s = F.normalize(features).matmul(F.normalize(centres).t()).reshape(features.shape[0], -1, perClass); // [B, M, K]
        var perClassSimilarity = ((s / gamma).softmax(2) * s).sum(2);                                             // [B, M]
        var own = labels.unsqueeze(1);
        var logits = perClassSimilarity.scatter(1, own, perClassSimilarity.gather(1, own) - margin) * scale;
        return new LossTerms(F.log_softmax(logits, 1).gather(1, own).squeeze(1).neg(), labels.ge(0));
    }
}
