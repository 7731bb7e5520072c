using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Circle loss against learned class weights: Sun et al., CVPR 2020, arXiv 2002.10857, section 3.2 with class-level labels.</summary>
/// <remarks>
/// As <see cref="CircleLoss"/>, with one positive similarity, to the weight of the image's own class, and M - 1 negative ones, to the others:
/// <code>
/// loss(a) = log[1 + exp(-g α_p (s_y - (1 - m))) · sum over j != y of exp(g α_n (s_j - m))],  s_j = cosine(f, w_j)
/// </code>
/// With a single class there is nothing to tell apart: no anchor counts.
/// </remarks>
public sealed class CircleClassLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "circle-class", "Sun et al., CVPR 2020, arXiv 2002.10857, section 3.2", "log[1 + e^{-g α_p (s_y - 1 + m)} · sum_{j≠y} e^{g α_n (s_j - m)}]",
        context => new CircleClassLoss(new ClassWeights(context), context.Number("scale"), context.Number("margin")))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("scale", 256, 1e-3, 1e4, "γ; the paper's setting for face recognition, where it uses the class form"),
            LossOption.Number("margin", 0.25, -0.5, 0.999, "relaxation m; as the paper for faces"),
            .. ClassWeights.Options,
        ],
    };

    private readonly double scale, margin;

    /// <summary>Compares with the given weights.</summary>
    public CircleClassLoss(ClassWeights weights, double scale, double margin) => (ClassWeights, this.scale, this.margin) = (weights, scale, margin);

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, weights, _) = ClassWeights.For(input);
        return [PerImage(input.Anchors, labels, weights, scale * Heat, margin)];
    }

    /// <summary>The loss of each image. Features [B, D] and weights [M, D], both normalised here; labels [B] int64 in 0..M-1.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, double scale, double margin)
    {
        if (features.shape[0] == 0) return LossTerms.Nothing(features);
        var classes = weights.shape[0];
        var s = F.normalize(features).matmul(F.normalize(weights).t()); // [B, D] x [D, M] -> [B, M]
        var own = labels.unsqueeze(1);                                  // [B, 1]
        var others = torch.arange(0, classes, 1, torch.ScalarType.Int64, labels.device).unsqueeze(0).ne(own); // [B, M]

        var pull = CircleLoss.PositiveLogits(s.gather(1, own), scale, margin);                  // [B, 1]
        var push = Stable.LogSumExp(CircleLoss.NegativeLogits(s, scale, margin), others);       // [B, 1]
        var counted = torch.full([features.shape[0]], classes > 1 ? 1 : 0, torch.ScalarType.Float32, labels.device).gt(0);
        return LossTerms.Only(Stable.Softplus(pull + push).squeeze(1), counted);
    }
}
