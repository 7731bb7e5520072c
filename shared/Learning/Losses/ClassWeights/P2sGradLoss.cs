using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>P2SGrad: Zhang et al., CVPR 2019, arXiv 1905.02479, equation 11, as the loss that has this gradient.</summary>
/// <remarks>
/// <code>
/// loss(x) = 1/2 · sum over classes j of (cos θ_j - [j = y])²,   so that its gradient is the sum of (cos θ_j - [j = y]) ∇ cos θ_j
/// </code>
/// The cosines themselves say how hard an image is pulled, in place of softmax's probabilities: there is no scale and no margin to choose.
/// </remarks>
public sealed class P2sGradLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "p2s-grad", "Zhang et al., CVPR 2019, arXiv 1905.02479", "1/2 sum_j (cos θ_j - [j = y])²", context => new P2sGradLoss(new ClassWeights(context)))
    {
        LearnsFromPairs = false,
        Options = ClassWeights.Options,
    };

    /// <summary>Compares with the given weights.</summary>
    public P2sGradLoss(ClassWeights weights) => ClassWeights = weights;

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var (labels, weights, _) = ClassWeights.For(input);
        var cosine = F.normalize(input.Anchors).matmul(F.normalize(weights).t());                        // [B, M]
        var own = cosine.gather(1, labels.unsqueeze(1)).squeeze(1);                                       // [B]
        // (cos - 1)² = cos² - 2 cos + 1 for the own class.
        return [new LossTerms((cosine.square().sum(1) - (own * 2) + 1) / 2, labels.ge(0))];
    }
}
