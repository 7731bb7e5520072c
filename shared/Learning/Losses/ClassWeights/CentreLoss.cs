using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Losses;

/// <summary>Softmax together with a pull of every feature to its class's centre: Wen et al., ECCV 2016, equations 2 to 5 and algorithm 1.</summary>
/// <remarks>
/// <code>
/// loss(x) = -log softmax_y(wᵀ f + b) + λ/2 |f - c_y|²
/// after each step: c_j -= α · sum over the batch's images of class j of (c_j - f) / (1 + their number)
/// </code>
/// Features are not normalised: softmax keeps classes apart, the centres draw each together. Centres move by their own rule, not by gradients; they
/// begin at zero.
/// </remarks>
public sealed class CentreLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "centre", "Wen et al., ECCV 2016", "-log softmax_y(wᵀ f + b) + λ/2 |f - c_y|²",
        context => new CentreLoss(new ClassWeights(context, hasBias: true), context))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Number("centre_weight", 0.003, 0, 100, "λ; the paper's for faces"),
            LossOption.Number("centre_rate", 0.5, 0, 1, "α, the share of the way that a centre goes; the paper's"),
            .. ClassWeights.Options,
        ],
    };

    private readonly torch.Tensor centres; // [M, D]
    private readonly double weight, rate;

    private CentreLoss(ClassWeights weights, LossContext context)
    {
        (ClassWeights, weight, rate) = (weights, context.Number("centre_weight"), context.Number("centre_rate"));
        centres = torch.zeros([context.Classes, context.Dimensions], torch.ScalarType.Float32, context.Device).DetachFromDisposeScope();
        Buffers = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal) { ["centres"] = centres };
    }

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var (labels, weights, bias) = ClassWeights.For(input);
        return
        [
            SoftmaxLoss.PerImage(input.Anchors, labels, weights, bias, FeatureScaling.None, 1),
            PerImage(input.Anchors, As(centres, input.Anchors).index_select(0, input.AnchorLabels), weight),
        ];
    }

    /// <summary>The pull of each image. Features [B, D] and the centres of their classes [B, D].</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor centres, double weight)
    {
        var squared = (features - centres).square().sum(1); // [B]
        return new LossTerms(squared * (weight / 2), torch.ones(squared.shape, torch.ScalarType.Bool, features.device));
    }

    /// <inheritdoc />
    public override void AfterStep(LossInput input)
    {
        if (input.IsEmpty) return;
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var features = As(input.Anchors.detach(), centres);
        var (classes, places, counts) = input.AnchorLabels.unique(true, true, true);                // [U], [B], [U]
        var distances = centres.index_select(0, input.AnchorLabels) - features;                    // [B, D]
        var sums = torch.zeros([classes.shape[0], features.shape[1]], centres.dtype, centres.device).index_add_(0, places!, distances, 1);
        centres.index_add_(0, classes, sums / (counts!.to(centres.dtype) + 1).unsqueeze(1), -rate);
    }
}
