using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>What a batch is compared with: the class weights that take part, and the labels as places among them.</summary>
/// <param name="Labels">[B] int64 in 0..S-1.</param>
/// <param name="Weights">[S · K, D], those of a class one after the other.</param>
/// <param name="Bias">[S], or none.</param>
public readonly record struct ClassSample(torch.Tensor Labels, torch.Tensor Weights, torch.Tensor? Bias);

/// <summary>One or several learned vectors for each training class: class weights, proxies, centres.</summary>
/// <remarks>
/// With many classes, a batch may meet a sample of them: its own classes and others drawn at random (Partial FC: An et al., arXiv 2010.05222 and
/// CVPR 2022, arXiv 2203.15565). Logits, gradients and the optimiser's work then are those of the sample; the other classes stand still.
/// </remarks>
public sealed class ClassWeights
{
    private readonly int classes, perClass;
    private readonly double share;
    private readonly Parameter weights; // [M · K, D]
    private readonly Parameter? bias;   // [M]
    private List<(Parameter Whole, torch.Tensor Rows, torch.Tensor Part)> sampled = [];

    internal const string StartAtRandom = "random", StartWarm = "warm", StartAtClassMeans = "class-means";

    /// <summary>
    /// What happens before the first step. <c>warm</c> is a pass over the images without learning, so that batch statistics settle (the dummy pass in the
    /// official code of arXiv 1809.04157); with <c>class-means</c> each class weight then begins at the mean of its class (its --better_init).
    /// </summary>
    public static LossOption Start { get; } = LossOption.Choice("start", "[where class weights begin](#where-class-weights-begin)", StartAtRandom, StartWarm, StartAtClassMeans);

    /// <summary>Options of every loss with class weights.</summary>
    public static IReadOnlyList<LossOption> Options { get; } =
    [
        LossOption.Number("sampled_classes", 1, 1e-6, 1, "share of the classes that a batch meets ([Partial FC](#many-classes)); 1 is exact"),
        Start,
    ];

    /// <summary>Makes the weights that a loss's options ask for.</summary>
    /// <param name="context">With <see cref="Options"/>.</param>
    /// <param name="hasBias">A bias for each class, zero at first.</param>
    /// <param name="perClass">K.</param>
    /// <param name="deviation">Of the normal values that weights are drawn from; null makes them about one long.</param>
    public ClassWeights(LossContext context, bool hasBias = false, int perClass = 1, double? deviation = null)
        : this(context.Classes, context.Dimensions, perClass, deviation ?? 1 / Math.Sqrt(context.Dimensions), hasBias, context.Number("sampled_classes"), context.Device)
    {
    }

    /// <summary>Makes weights, drawn from the torch generator, on the device.</summary>
    public ClassWeights(int classes, int dimensions, int perClass, double deviation, bool hasBias, double share, torch.Device device)
    {
        (this.classes, this.perClass, this.share) = (classes, perClass, share);
        using var noGradient = torch.no_grad();
        // Drawn on the CPU: the same seed gives the same weights on every device.
        weights = MetricLoss.Kept(torch.randn([(long)classes * perClass, dimensions]) * deviation, device);
        var parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["weights"] = weights };
        if (hasBias) parameters["bias"] = bias = MetricLoss.Kept(torch.zeros([classes]), device);
        Parameters = parameters;
    }

    /// <summary>Weights [M · K, D] and, where there is one, bias [M].</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <summary>How many there are for each class, K.</summary>
    public int PerClass => perClass;

    /// <summary>Whether a batch meets some of the classes only.</summary>
    public bool IsSampled => share < 1;

    /// <summary>The gradients of a sample, once they are there; without sampling they are those of the parameters.</summary>
    public IReadOnlyList<RowGradient> RowGradients =>
        [.. sampled.Where(s => s.Part.grad is not null).Select(s => new RowGradient(s.Whole, s.Rows, s.Part.grad!))];

    /// <summary>What a batch is compared with, in the precision of its features: all classes, or a sample drawn from the torch generator.</summary>
    public ClassSample For(LossInput input)
    {
        var (features, labels) = (input.Anchors, input.AnchorLabels);
        if (!IsSampled) return new ClassSample(labels, MetricLoss.As(weights, features), bias is null ? null : MetricLoss.As(bias, features));

        var rows = Draw(labels);                                                                                  // [S]
        var numbers = torch.arange(0, rows.shape[0], 1, torch.ScalarType.Int64, labels.device);
        var places = torch.zeros([classes], torch.ScalarType.Int64, labels.device).index_copy_(0, rows, numbers); // [M]
        var weightRows = rows;
        if (perClass > 1) // those of class c are c K .. c K + K - 1
            weightRows = ((rows.unsqueeze(1) * perClass) + torch.arange(0, perClass, 1, torch.ScalarType.Int64, labels.device).unsqueeze(0)).reshape(-1);
        // Leaves of their own: a gradient of all rows, zero but for the sample, would cost more than the loss. They are stepped with after the scope
        // of a chunk has ended.
        Forget();
        sampled = [(weights, weightRows.DetachFromDisposeScope(), Part(weights, weightRows))];
        if (bias is not null) sampled.Add((bias, rows.DetachFromDisposeScope(), Part(bias, rows)));
        return new ClassSample(places.index_select(0, labels), MetricLoss.As(sampled[0].Part, features), bias is null ? null : MetricLoss.As(sampled[1].Part, features));
    }

    /// <summary>Puts each class's weight at the direction of its mean feature, one long; several of a class around it. Means, or sums, [M, D].</summary>
    public void BeginAt(torch.Tensor means)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var directions = F.normalize(means).repeat_interleave(perClass, 0);
        // What was drawn at random keeps those of one class apart.
        weights.copy_(perClass == 1 ? directions : F.normalize(directions + (F.normalize(weights) * 0.1)));
    }

    /// <summary>Frees the last sample.</summary>
    public void Forget()
    {
        foreach (var (_, rows, part) in sampled)
        {
            rows.Dispose();
            part.Dispose();
        }
        sampled = [];
    }

    /// <summary>The classes of the batch and as many others as the share asks for, in their order.</summary>
    private torch.Tensor Draw(torch.Tensor labels)
    {
        using var noGradient = torch.no_grad();
        var own = labels.unique().output;
        var count = Math.Max((long)Math.Ceiling((share * classes) - 1e-9), own.shape[0]);
        // Random ranks, those of the batch's classes before all others.
        var rank = torch.rand([classes]).to(labels.device).index_fill_(0, own, 2);
        return rank.topk((int)count).indexes.sort().Values;
    }

    private static torch.Tensor Part(Parameter whole, torch.Tensor rows)
    {
        using var noGradient = torch.no_grad();
        return whole.index_select(0, rows).requires_grad_().DetachFromDisposeScope();
    }
}
