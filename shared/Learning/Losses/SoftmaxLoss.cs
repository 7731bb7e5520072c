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
    public override AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels) =>
        PerAnchor(features, labels, weights, bias, scaling, alpha * Heat);

    /// <summary>The loss of each image. Features [B, D]; labels [B] int64 in 0..M-1; weights [M, D]; bias [M] or none.</summary>
    public static AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, torch.Tensor? bias,
        FeatureScaling scaling, double alpha)
    {
        if (features.shape[0] == 0) return Nothing(features);
        var (f, w) = scaling switch
        {
            FeatureScaling.None => (features, weights),
            FeatureScaling.L2 => (F.normalize(features), F.normalize(weights)),
            _ => (features / Math.Sqrt(features.shape[1]), F.normalize(weights)), // batch-normalised by the model: norm about sqrt(D)
        };
        var z = f.matmul(w.t()) * alpha; // [B, D] x [D, M] -> [B, M]
        if (bias is not null) z = z + bias;
        var perImage = F.log_softmax(z, 1).gather(1, labels.unsqueeze(1)).squeeze(1).neg(); // [B]
        return new AnchorLosses(perImage, labels.ge(0));
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
