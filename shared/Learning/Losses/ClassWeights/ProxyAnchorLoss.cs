using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

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
        context => new ProxyAnchorLoss(
            new ClassWeights(context, deviation: Math.Sqrt(2.0 / context.Classes)), // the authors' initialisation (Kaiming, fan out)
            context.Number("scale"), context.Number("margin")))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 32, 1e-3, 1e4, "α; the paper's"),
            LossOption.Number("margin", 0.1, 0, 1, "δ; the paper's"),
            .. ClassWeights.Options,
        ],
    };

    private readonly double scale, margin;

    /// <summary>Compares with the given proxies.</summary>
    public ProxyAnchorLoss(ClassWeights proxies, double scale, double margin) => (ClassWeights, this.scale, this.margin) = (proxies, scale, margin);

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <summary>The sum inside the logarithm runs over the batch.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, proxies, _) = ClassWeights.For(input);
        return PerProxy(input.Anchors, labels, proxies, scale * Heat, margin);
    }

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
