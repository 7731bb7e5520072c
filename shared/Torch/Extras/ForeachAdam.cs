using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>Adam with weight decay in the gradient (Kingma and Ba, arXiv:1412.6980); equal to torch.optim.Adam.</summary>
public sealed class ForeachAdam(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8) : ForeachOptimizer(groups)
{
    private protected override IReadOnlyList<string> StateNames { get; } = ["exp_avg", "exp_avg_sq"];

    private protected override void Update(ParameterGroup group, long step, Tensor[] parameters, Tensor[] grads, Tensor[][] state)
    {
        var direction = group.WeightDecay == 0 ? grads : Foreach.Sum(grads, parameters, group.WeightDecay);
        AdaptiveMoments.Step(group.LearningRate, step, parameters, direction, Column(state, 0), Column(state, 1), beta1, beta2, eps);
    }
}
