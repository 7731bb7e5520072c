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
        context => new ProxyNcaLoss(new ClassWeights(context), context.Number("scale"), context.Flag("own_in_denominator")))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 9, 1e-3, 1e4, "s; 1 / temperature of ProxyNCA++ (the 2017 paper has 1, on proxies of norm 3)"),
            LossOption.Flag("own_in_denominator", true, "as ProxyNCA++; without it, as the 2017 paper, the loss has no lower bound"),
            .. ClassWeights.Options,
        ],
    };

    private readonly double scale;
    private readonly bool withOwn;

    /// <summary>Compares with the given proxies.</summary>
    public ProxyNcaLoss(ClassWeights proxies, double scale, bool withOwn) => (ClassWeights, this.scale, this.withOwn) = (proxies, scale, withOwn);

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, proxies, _) = ClassWeights.For(input);
        return [PerImage(input.Anchors, labels, proxies, scale * Heat, withOwn)];
    }

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
