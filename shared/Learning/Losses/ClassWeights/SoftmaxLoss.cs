using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Softmax cross entropy against learned class weights, plain or heated up: Zhang et al., arXiv 1809.04157.</summary>
/// <remarks>
/// <code>
/// loss(x) = -log(exp(z_y) / sum_m exp(z_m)),   z = α ŵᵀ f̂ + b          (equation 1, α = 1 / temperature)
/// SM: f̂ = f, ŵ = w, α = 1     LN: f̂ = f / |f|, ŵ = w / |w|     BN: f̂ = BN(f) / sqrt(D), ŵ = w / |w|   (equation 7)
/// </code>
/// HLN and HBN are LN and BN whose α falls to a quarter late in training (<see cref="MetricLoss.Heat"/>): large α first makes the hard samples count, small α
/// then lets the easy ones count too, which draws classes together. The batch normalisation, without learned scale, is the model's last layer
/// (<see cref="Models.EmbeddingHead"/>). The bias is kept, as the paper's code does and its text does not say.
/// </remarks>
public sealed class SoftmaxLoss : MetricLoss
{
    private const string Paper = "Zhang et al., arXiv 1809.04157";

    public static IReadOnlyList<LossEntry> Entries { get; } =
    [
        Variant("softmax", FeatureScaling.None, alpha: 1, heats: false), Variant("ln", FeatureScaling.L2, 16, heats: false),
        Variant("bn", FeatureScaling.Batch, 16, heats: false), Variant("hln", FeatureScaling.L2, 16, heats: true), Variant("hbn", FeatureScaling.Batch, 16, heats: true),
    ];

    private static LossEntry Variant(string name, FeatureScaling scaling, double alpha, bool heats) => new(
        name, Paper, scaling switch
        {
            FeatureScaling.None => "-log softmax_y(wᵀ f + b)",
            FeatureScaling.L2 => "-log softmax_y(α ŵᵀ f̂ + b), f̂ = f / |f|",
            _ => "-log softmax_y(α ŵᵀ f̂ + b), f̂ = BN(f) / sqrt(D)",
        } + (heats ? ", α falling late" : ""),
        context => new SoftmaxLoss(context.Classes, context.Dimensions, scaling, context.Number("scale"), context.Flag("bias"), context.Device))
    {
        LearnsFromPairs = false,
        NeedsBatchNormalisedFeatures = scaling == FeatureScaling.Batch,
        Options =
        [
            LossOption.Number("scale", alpha, 1e-3, 1e4, alpha == 1 ? "α; plain softmax has none" : "α, the inverse temperature; where the paper's sweep peaks"),
            LossOption.Flag("bias", true, "a bias in the classifier; the paper's code has one, its text does not say"),
            .. heats ? Heating : [],
        ],
    };

    // alpha 16, then a quarter of it and a tenth of the rate for the last 20 of 80 epochs (official code of arXiv 1809.04157).
    private static LossOption[] Heating =>
    [
        LossOption.Choice("heating", "`two-stage`: once, as in the paper's tables; `smooth`: α / 1.41 and rate · 0.562 at every eighth of the run, the official code's --alpha_decay", "two-stage", "smooth"),
        LossOption.Number("heated_scale", 0.25, 1e-3, 1, "two-stage: what α is multiplied by; 16 becomes 4, as in the paper"),
        LossOption.Number("heated_share", 0.25, 0.01, 0.99, "two-stage: the last share of the run that is heated; the paper's last 20 of 80 epochs"),
        LossOption.Number("heated_learning_rate", 0.1, 1e-4, 1, "two-stage: what the learning rate is multiplied by, as in the paper"),
    ];

    private readonly Parameter weights; // [M, D]
    private readonly Parameter? bias;   // [M]
    private readonly FeatureScaling scaling;
    private readonly double alpha;

    /// <summary>Makes the class weights on the device, drawn from the torch generator, and a zero bias.</summary>
    public SoftmaxLoss(int classes, int dimensions, FeatureScaling scaling, double alpha, bool withBias, torch.Device device)
    {
        (this.scaling, this.alpha) = (scaling, alpha);
        weights = ClassWeights(classes, dimensions, 1 / Math.Sqrt(dimensions), device);
        var parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["weights"] = weights };
        if (withBias) parameters["bias"] = bias = Kept(torch.zeros([classes]), device);
        Parameters = parameters;
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input) =>
        [PerImage(input.Anchors, input.AnchorLabels, As(weights, input.Anchors), bias is null ? null : As(bias, input.Anchors), scaling, alpha * Heat)];

    /// <summary>The loss of each image. Features [B, D]; labels [B] int64 in 0..M-1; weights [M, D]; bias [M] or none.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, torch.Tensor? bias,
        FeatureScaling scaling, double alpha)
    {
        if (features.shape[0] == 0) return LossTerms.Nothing(features);
        var (f, w) = scaling switch
        {
            FeatureScaling.None => (features, weights),
            FeatureScaling.L2 => (F.normalize(features), F.normalize(weights)),
            _ => (features / Math.Sqrt(features.shape[1]), F.normalize(weights)), // batch-normalised by the model: norm about sqrt(D)
        };
        var z = f.matmul(w.t()) * alpha; // [B, D] x [D, M] -> [B, M]
        if (bias is not null) z = z + bias;
        var perImage = F.log_softmax(z, 1).gather(1, labels.unsqueeze(1)).squeeze(1).neg(); // [B]
        return new LossTerms(perImage, labels.ge(0));
    }
}

/// <summary>What is done to features and class weights before their product.</summary>
public enum FeatureScaling
{
    /// <summary>Nothing: plain softmax (SM).</summary>
    None,

    /// <summary>Both are L2-normalised (LN).</summary>
    L2,

    /// <summary>Features come batch-normalised and are divided by the square root of their length; weights are L2-normalised (BN).</summary>
    Batch,
}
