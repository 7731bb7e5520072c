using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>Stochastic gradient descent with momentum, weight decay in the gradient; equal to torch.optim.SGD without dampening.</summary>
public sealed class ForeachSgd(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9, bool nesterov = false) : ForeachOptimizer(groups)
{
    private protected override IReadOnlyList<string> StateNames { get; } = momentum == 0 ? [] : ["momentum"];

    private protected override void Update(ParameterGroup group, long step, Tensor[] parameters, Tensor[] grads, Tensor[][] state)
    {
        var direction = group.WeightDecay == 0 ? grads : Foreach.Sum(grads, parameters, group.WeightDecay);
        if (momentum != 0)
        {
            var velocity = Column(state, 0);
            Foreach.Multiply(velocity, momentum);
            Foreach.Add(velocity, direction, 1);
            direction = nesterov ? Foreach.Sum(direction, velocity, momentum) : velocity;
        }
        Foreach.Add(parameters, direction, -group.LearningRate);
    }
}
