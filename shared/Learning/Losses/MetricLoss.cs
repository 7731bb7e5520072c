using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Losses;

/// <summary>A loss over a batch of features and class labels, with the class weights that some losses learn beside the model.</summary>
public abstract class MetricLoss : IDisposable
{
    /// <summary>What is learned with the loss and thrown away after training, by name.</summary>
    public virtual IReadOnlyDictionary<string, Parameter> Parameters { get; } = new Dictionary<string, Parameter>(StringComparer.Ordinal);

    /// <summary>What is learned otherwise than by gradients, by name; checkpoints keep it.</summary>
    public virtual IReadOnlyDictionary<string, torch.Tensor> Buffers { get; } = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);

    /// <summary>The vectors of the training classes, for losses that learn such; they are among the parameters.</summary>
    public virtual ClassWeights? ClassWeights => null;

    /// <summary>Whether the loss is a mean over anchors, so that anchors can be worked off in chunks and memory can be compared with.</summary>
    public virtual bool IsSumOverAnchors => ClassWeights is not { IsSampled: true }; // a sample is drawn for the classes of a whole batch

    /// <summary>The terms of the loss. A loss may have several kinds of them, whose means add up.</summary>
    public abstract IReadOnlyList<LossTerms> Terms(LossInput input);

    /// <summary>The loss: a scalar in the graph of the features.</summary>
    public torch.Tensor Compute(LossInput input) => Sum(Terms(input));

    /// <summary>The sum of the means of several kinds of terms.</summary>
    public static torch.Tensor Sum(IReadOnlyList<LossTerms> terms) => terms.Select(kind => kind.Mean()).Aggregate((a, b) => a + b);

    /// <summary>Puts class weights at the directions of their classes' mean features; means, or sums, [M, D].</summary>
    public virtual void BeginAt(torch.Tensor means) => ClassWeights!.BeginAt(means);

    /// <summary>Learns from a batch otherwise than by gradients; called once for each step, after the optimiser's.</summary>
    public virtual void AfterStep(LossInput input)
    {
    }

    /// <summary>Multiplies the loss's scale (the inverse temperature): below 1 once heated-up softmax has heated up.</summary>
    public double Heat { get; set; } = 1;

    /// <summary>How far the run is, 0..1: some losses start easier than they end.</summary>
    public double Progress { get; set; }

    /// <summary>Frees the class weights.</summary>
    public void Dispose()
    {
        ClassWeights?.Forget();
        foreach (var parameter in Parameters.Values) parameter.Dispose();
        foreach (var buffer in Buffers.Values) buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Weights in the precision of the features, which may be half (autocast) or double (tests).</summary>
    protected internal static torch.Tensor As(torch.Tensor weights, torch.Tensor features) => weights.dtype == features.dtype ? weights : weights.to(features.dtype);

    /// <summary>Makes a parameter that outlives the dispose scope that it is made in.</summary>
    protected internal static Parameter Kept(torch.Tensor values, torch.Device device)
    {
        var parameter = new Parameter(values.to(device));
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
