using TorchSharp.Modules;

namespace DmlPipeline.Torch;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
public sealed class ParameterGroup(IReadOnlyList<Parameter> parameters, double learningRate, double weightDecay)
{
    public IReadOnlyList<Parameter> Parameters { get; } = parameters;

    public double LearningRate { get; set; } = learningRate;

    public double WeightDecay { get; set; } = weightDecay;
}
