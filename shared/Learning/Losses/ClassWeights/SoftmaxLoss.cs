using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Softmax cross entropy against learned class weights: plain, on normalised features, heated up. Zhang et al., arXiv 1809.04157, and before.</summary>
/// <remarks>
/// <code>
/// loss(x) = -log(exp(z_y) / sum_m exp(z_m)),   z = α ŵᵀ f̂ + b          (arXiv 1809.04157, equation 1, α = 1 / temperature)
/// softmax (SM): f̂ = f, ŵ = w     ln (LN): f̂ = f / |f|, ŵ = w / |w|     bn (BN): f̂ = BN(f) / sqrt(D), ŵ = w / |w|   (equation 7)
/// l2-softmax: f̂ = f / |f|, ŵ = w     normface: as ln, b = 0, α learned     instance: as ln, b = 0, α = 64
/// </code>
/// HLN and HBN are LN and BN whose α falls to a quarter late in training (<see cref="MetricLoss.Heat"/>): large α first makes the hard samples count, small α
/// then lets the easy ones count too, which draws classes together. The batch normalisation, without learned scale, is the model's last layer
/// (<see cref="Models.EmbeddingHead"/>). The bias is kept, as the paper's code does and its text does not say.
/// </remarks>
public sealed class SoftmaxLoss : MetricLoss
{
    private const string HeatedUp = "Zhang et al., arXiv 1809.04157", Peak = "α, the inverse temperature; where the heated-up paper's sweep peaks";

    public static IReadOnlyList<LossEntry> Entries { get; } =
    [
        Entry("softmax", HeatedUp, "-log softmax_y(wᵀ f + b)", FeatureScaling.None, 1, "α; plain softmax has 1, others are temperature-scaled softmax (arXiv 1503.02531)", Bias),
        Entry("ln", HeatedUp, "-log softmax_y(α ŵᵀ f̂ + b), f̂ = f / |f|", FeatureScaling.L2, 16, Peak, Bias),
        Entry("bn", HeatedUp, "-log softmax_y(α ŵᵀ f̂ + b), f̂ = BN(f) / sqrt(D)", FeatureScaling.Batch, 16, Peak, Bias),
        Entry("hln", HeatedUp, "-log softmax_y(α ŵᵀ f̂ + b), f̂ = f / |f|, α falling late", FeatureScaling.L2, 16, Peak, [Bias, .. Heating]),
        Entry("hbn", HeatedUp, "-log softmax_y(α ŵᵀ f̂ + b), f̂ = BN(f) / sqrt(D), α falling late", FeatureScaling.Batch, 16, Peak, [Bias, .. Heating]),
        Entry("normface", "Wang et al., ACM MM 2017, arXiv 1704.06369", "-log softmax_y(α ŵᵀ f̂)", FeatureScaling.L2, 16, $"{Peak}; learned from there on",
            LearnedScale(true, "α is learned too, as in the paper; false: constant, as normalised softmax has it (arXiv 1811.12649)")),
        Entry("l2-softmax", "Ranjan et al., arXiv 1703.09507", "-log softmax_y(wᵀ α f̂ + b)", FeatureScaling.Feature, 16,
            "α; the paper's lower bound log(p (M - 2) / (1 - p)) reaches p = 0.9 with up to 900,000 classes", Bias, LearnedScale(false, "α is learned too; false: constant")),
        Entry("instance", "Zheng et al., ACM TOMM 2020, arXiv 1711.05535", "-log softmax_y(γ ŵᵀ f̂)", FeatureScaling.L2, 64,
            "γ; pytorch-metric-learning's, which normalises as we do; the paper has plain softmax"),
    ];

    private static LossOption Bias => LossOption.Flag("bias", true, "a bias in the classifier; the heated-up paper's code has one, its text does not say");

    // alpha 16, then a quarter of it and a tenth of the rate for the last 20 of 80 epochs (official code of arXiv 1809.04157).
    private static LossOption[] Heating =>
    [
        LossOption.Choice("heating", "`two-stage`: once, as in the paper's tables; `smooth`: α / 1.41 and rate · 0.562 at every eighth of the run, the official code's --alpha_decay", "two-stage", "smooth"),
        LossOption.Number("heated_scale", 0.25, 1e-3, 1, "two-stage: what α is multiplied by; 16 becomes 4, as in the paper"),
        LossOption.Number("heated_share", 0.25, 0.01, 0.99, "two-stage: the last share of the run that is heated; the paper's last 20 of 80 epochs"),
        LossOption.Number("heated_learning_rate", 0.1, 1e-4, 1, "two-stage: what the learning rate is multiplied by, as in the paper"),
    ];

    private static LossOption LearnedScale(bool otherwise, string reason) => LossOption.Flag("learned_scale", otherwise, reason);

    private static LossEntry Entry(string name, string paper, string formula, FeatureScaling scaling, double scale, string why, params LossOption[] more) => new(
        name, paper, formula, context => new SoftmaxLoss(
            new ClassWeights(context, hasBias: context.Settings.Has("bias") && context.Flag("bias")), scaling, context.Number("scale"),
            context.Settings.Has("learned_scale") && context.Flag("learned_scale"), context.Device))
    {
        LearnsFromPairs = false,
        NeedsBatchNormalisedFeatures = scaling == FeatureScaling.Batch,
        Options = [LossOption.Number("scale", scale, 1e-3, 1e4, why), .. more, .. ClassWeights.Options],
    };

    private readonly FeatureScaling scaling;
    private readonly double alpha;
    private readonly Parameter? learned; // [1], or a constant α

    /// <summary>Compares with the given weights at inverse temperature α, which may be learned.</summary>
    public SoftmaxLoss(ClassWeights weights, FeatureScaling scaling, double alpha, bool learnsAlpha, torch.Device device)
    {
        (ClassWeights, this.scaling, this.alpha) = (weights, scaling, alpha);
        if (learnsAlpha) learned = Kept(torch.full([1], alpha), device);
        Parameters = learned is null ? weights.Parameters : new Dictionary<string, Parameter>(weights.Parameters, StringComparer.Ordinal) { ["scale"] = learned };
    }

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, weights, bias) = ClassWeights.For(input);
        return [learned is null
            ? PerImage(input.Anchors, labels, weights, bias, scaling, alpha * Heat)
            : PerImage(input.Anchors, labels, weights, bias, scaling, As(learned, input.Anchors) * Heat)];
    }

    /// <summary>The loss of each image. Features [B, D]; labels [B] int64 in 0..M-1; weights [M, D]; bias [M] or none.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, torch.Tensor? bias,
        FeatureScaling scaling, Scalar alpha) =>
        features.shape[0] == 0 ? LossTerms.Nothing(features) : PerImage(Products(features, weights, scaling) * alpha, labels, bias);

    private static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, torch.Tensor? bias,
        FeatureScaling scaling, torch.Tensor alpha) =>
        features.shape[0] == 0 ? LossTerms.Nothing(features) : PerImage(Products(features, weights, scaling) * alpha, labels, bias);

    private static LossTerms PerImage(torch.Tensor z, torch.Tensor labels, torch.Tensor? bias)
    {
        if (bias is not null) z = z + bias;
        var perImage = F.log_softmax(z, 1).gather(1, labels.unsqueeze(1)).squeeze(1).neg(); // [B]
        return new LossTerms(perImage, labels.ge(0));
    }

    private static torch.Tensor Products(torch.Tensor features, torch.Tensor weights, FeatureScaling scaling)
    {
        var f = scaling switch
        {
            FeatureScaling.None => features,
            FeatureScaling.Batch => features / Math.Sqrt(features.shape[1]), // batch-normalised by the model: norm about sqrt(D)
            _ => F.normalize(features),
        };
        var w = scaling is FeatureScaling.None or FeatureScaling.Feature ? weights : F.normalize(weights);
        return f.matmul(w.t()); // [B, D] x [D, M] -> [B, M]
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

    /// <summary>Features are L2-normalised, weights are not (L2-constrained softmax).</summary>
    Feature,
}
