using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2); equal to torch.optim.AdamW.
/// </summary>
public sealed class ForeachAdamW(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8)
    : ForeachOptimizer(groups)
{
    private protected override IReadOnlyList<string> StateNames { get; } = ["exp_avg", "exp_avg_sq"];

    private protected override void Update(ParameterGroup group, long step, Tensor[] parameters, Tensor[] grads, Tensor[][] state)
    {
        if (group.WeightDecay != 0) Foreach.Multiply(parameters, 1 - group.LearningRate * group.WeightDecay);
        AdaptiveMoments.Step(group.LearningRate, step, parameters, grads, Column(state, 0), Column(state, 1), beta1, beta2, eps);
    }
}
