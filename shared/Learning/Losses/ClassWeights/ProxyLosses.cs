using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Proxy-NCA: Movshovitz-Attias et al., ICCV 2017, arXiv 1703.07464, equation 7; and its form in ProxyNCA++ (Teh et al., ECCV 2020, arXiv 2004.01113).</summary>
/// <remarks>
/// <code>
/// loss(x) = -log( e^{-s d(x, p_y)} / sum over j ≠ y of e^{-s d(x, p_j)} ),   d = squared Euclidean distance of L2-normalised feature and proxy
/// ProxyNCA++: the sum is over all proxies, the own one too: a probability
/// </code>
/// </remarks>
public sealed class ProxyNcaLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "proxy-nca", "Movshovitz-Attias et al., ICCV 2017, arXiv 1703.07464; Teh et al., ECCV 2020, arXiv 2004.01113", "-log(e^{-s d_y} / sum_j e^{-s d_j})",
        context => new ProxyNcaLoss(context.Classes, context.Dimensions, context.Number("scale"), context.Flag("own_in_denominator"), context.Device))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 9, 1e-3, 1e4, "s; 1 / temperature of ProxyNCA++ (the 2017 paper has 1, on proxies of norm 3)"),
            LossOption.Flag("own_in_denominator", true, "as ProxyNCA++; without it, as the 2017 paper, the loss has no lower bound"),
        ],
    };

    private readonly Parameter proxies; // [M, D]
    private readonly double scale;
    private readonly bool withOwn;

    /// <summary>Makes the proxies on the device, drawn from the torch generator.</summary>
    public ProxyNcaLoss(int classes, int dimensions, double scale, bool withOwn, torch.Device device)
    {
        (this.scale, this.withOwn) = (scale, withOwn);
        proxies = ClassWeights(classes, dimensions, 1 / Math.Sqrt(dimensions), device);
        Parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["weights"] = proxies };
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input) => [PerImage(input.Anchors, input.AnchorLabels, As(proxies, input.Anchors), scale * Heat, withOwn)];

    /// <summary>The loss of each image. Features [B, D], proxies [M, D], both normalised here; labels [B] int64.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor proxies, double scale, bool withOwn)
    {
        if (features.shape[0] == 0) return LossTerms.Nothing(features);
        var logits = ((F.normalize(features).matmul(F.normalize(proxies).t()) * 2) - 2) * scale; // -s d², [B, M]
        var own = labels.unsqueeze(1);
        var classes = torch.arange(0, proxies.shape[0], 1, torch.ScalarType.Int64, labels.device).unsqueeze(0);
        var others = classes.ne(own);                                                             // [B, M]
        var all = withOwn ? logits.logsumexp(1) : Stable.LogSumExp(logits, others).squeeze(1);
        // With one class the sum over the others is empty: nothing counts.
        var counted = torch.full([labels.shape[0]], withOwn || proxies.shape[0] > 1 ? 1 : 0, torch.ScalarType.Float32, labels.device).gt(0);
        return LossTerms.Only(all - logits.gather(1, own).squeeze(1), counted);
    }
}

/// <summary>Proxy-Anchor: Kim et al., CVPR 2020, arXiv 2003.13911, equation 4.</summary>
/// <remarks>
/// <code>
/// loss = mean over proxies p with an image in the batch of log(1 + sum over its images of e^{-α (s - δ)})
///      + mean over all proxies p of log(1 + sum over other images of e^{α (s + δ)}),   s = cosine of image and proxy
/// </code>
/// Proxies are the anchors: images of a batch are weighed against each other by how hard they are for the proxy.
/// </remarks>
public sealed class ProxyAnchorLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "proxy-anchor", "Kim et al., CVPR 2020, arXiv 2003.13911", "mean_{p∈P⁺} log(1 + sum_{x∈p} e^{-α(s-δ)}) + mean_p log(1 + sum_{x∉p} e^{α(s+δ)})",
        context => new ProxyAnchorLoss(context.Classes, context.Dimensions, context.Number("scale"), context.Number("margin"), context.Device))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 32, 1e-3, 1e4, "α; the paper's"),
            LossOption.Number("margin", 0.1, 0, 1, "δ; the paper's"),
        ],
    };

    private readonly Parameter proxies; // [M, D]
    private readonly double scale, margin;

    /// <summary>Makes the proxies on the device, drawn from the torch generator.</summary>
    public ProxyAnchorLoss(int classes, int dimensions, double scale, double margin, torch.Device device)
    {
        (this.scale, this.margin) = (scale, margin);
        proxies = ClassWeights(classes, dimensions, Math.Sqrt(2.0 / classes), device); // the authors' initialisation (Kaiming, fan out)
        Parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["weights"] = proxies };
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <summary>The sum inside the logarithm runs over the batch.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input) => PerProxy(input.Anchors, input.AnchorLabels, As(proxies, input.Anchors), scale * Heat, margin);

    /// <summary>The two terms of each proxy, [M] each. Features [B, D], proxies [M, D], both normalised here; labels [B] int64.</summary>
    public static IReadOnlyList<LossTerms> PerProxy(torch.Tensor features, torch.Tensor labels, torch.Tensor proxies, double scale, double margin)
    {
        if (features.shape[0] == 0) return [LossTerms.Nothing(features)];
        var s = F.normalize(proxies).matmul(F.normalize(features).t());                                            // [M, B]
        var classes = torch.arange(0, proxies.shape[0], 1, torch.ScalarType.Int64, labels.device).unsqueeze(1);
        var own = classes.eq(labels.unsqueeze(0));                                                                 // [M, B]
        var others = own.logical_not();
        var pull = Stable.Log1pSumExp((s - margin) * -scale, own);
        var push = Stable.Log1pSumExp((s + margin) * scale, others);
        return [LossTerms.Only(pull, own.any(1)), new LossTerms(push, classes.squeeze(1).ge(0))];
    }
}

/// <summary>SoftTriple: Qian et al., ICCV 2019, arXiv 1909.05235, equations 6 to 9.</summary>
/// <remarks>
/// <code>
/// S_c = sum over the class's K centres k of softmax_k(s_k / γ) s_k,   s = cosine of image and centre
/// loss(x) = -log softmax_y(λ (S_y - δ), λ S_c)   +   τ · mean over classes and pairs of their centres of |w_k - w_l|
/// </code>
/// The second term draws centres of a class together, so that it uses no more of them than it needs.
/// </remarks>
public sealed class SoftTripleLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "soft-triple", "Qian et al., ICCV 2019, arXiv 1909.05235", "-log softmax_y(λ (S_y - δ), λ S_c) + τ mean |w_k - w_l|",
        context => new SoftTripleLoss(
            context.Classes, context.Dimensions, (int)context.Number("centres"), context.Number("scale"), context.Number("gamma"), context.Number("margin"),
            context.Number("centre_regularisation"), context.Device))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 20, 1e-3, 1e4, "λ; the paper's"),
            LossOption.Number("gamma", 0.1, 1e-4, 100, "γ, how softly a class's centres are chosen between; the paper's"),
            LossOption.Number("margin", 0.01, 0, 1, "δ; the paper's"),
            LossOption.Number("centres", 10, 1, 100, "K centres per class; the paper's"),
            LossOption.Number("centre_regularisation", 0.2, 0, 100, "τ; the paper's"),
        ],
    };

    private readonly Parameter centres; // [M · K, D]
    private readonly int perClass;
    private readonly double scale, gamma, margin, regularisation;

    /// <summary>Makes the centres on the device, drawn from the torch generator.</summary>
    public SoftTripleLoss(int classes, int dimensions, int perClass, double scale, double gamma, double margin, double regularisation, torch.Device device)
    {
        (this.perClass, this.scale, this.gamma, this.margin, this.regularisation) = (perClass, scale, gamma, margin, regularisation);
        centres = ClassWeights((long)classes * perClass, dimensions, 1 / Math.Sqrt(dimensions), device);
        Parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["weights"] = centres };
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var weights = As(centres, input.Anchors);
        var loss = PerImage(input.Anchors, input.AnchorLabels, weights, perClass, scale * Heat, gamma, margin);
        return regularisation == 0 || perClass == 1 ? [loss] : [loss, Spread(weights, perClass, regularisation)];
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

    private static LossTerms Spread(torch.Tensor centres, int perClass, double regularisation)
    {
        var unit = F.normalize(centres).reshape(-1, perClass, centres.shape[1]);                                  // [M, K, D]
        var distance = Stable.Sqrt((2 - (unit.bmm(unit.transpose(1, 2)) * 2)).clamp_min(0));                      // [M, K, K]; the diagonal is zero
        var mean = distance.sum() / (unit.shape[0] * perClass * (perClass - 1.0));
        return new LossTerms((mean * regularisation).unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, centres.device));
    }
}
