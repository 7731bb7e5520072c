using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Losses;

/// <summary>A loss over a batch of features and class labels, with the class weights that some losses learn beside the model.</summary>
public abstract class MetricLoss : IDisposable
{
    /// <summary>What is learned with the loss and thrown away after training, by name.</summary>
    public virtual IReadOnlyDictionary<string, Parameter> Parameters { get; } = new Dictionary<string, Parameter>(StringComparer.Ordinal);

    /// <summary>The loss of each anchor. Features [B, D] as the model gives them before L2 normalisation; labels [B] int64.</summary>
    public abstract AnchorLosses PerAnchor(torch.Tensor features, torch.Tensor labels);

    /// <summary>Multiplies the loss's scale (the inverse temperature): below 1 once heated-up softmax has heated up.</summary>
    public double Heat { get; set; } = 1;

    /// <summary>Frees the class weights.</summary>
    public void Dispose()
    {
        foreach (var parameter in Parameters.Values) parameter.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>No anchors, and a zero that is still part of the graph.</summary>
    protected static AnchorLosses Nothing(torch.Tensor features) =>
        new(features.sum(1), torch.zeros([features.shape[0]], torch.ScalarType.Bool, features.device));

    /// <summary>Zeroes the anchors that do not count, and their gradient.</summary>
    protected static AnchorLosses Only(torch.Tensor perAnchor, torch.Tensor counted) =>
        new(perAnchor * counted.to(torch.ScalarType.Float32), counted);

    /// <summary>Class weights [M, D] with small normal values from the torch generator.</summary>
    protected static Parameter ClassWeights(int classes, int dimensions, double deviation, torch.Device device)
    {
        using var noGradient = torch.no_grad();
        // Drawn on the CPU: the same seed gives the same weights on every device.
        return Kept(torch.randn([classes, dimensions]) * deviation, device);
    }

    /// <summary>Makes a parameter that outlives the dispose scope that it is made in.</summary>
    protected static Parameter Kept(torch.Tensor values, torch.Device device)
    {
        var parameter = new Parameter(values.to(device));
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
