using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>RMSprop (Tieleman and Hinton 2012) with momentum, weight decay in the gradient; equal to torch.optim.RMSprop, not centred.</summary>
public sealed class ForeachRmsprop(IReadOnlyList<ParameterGroup> groups, double momentum = 0, double alpha = 0.99, double eps = 1e-8) : ForeachOptimizer(groups)
{
    private protected override IReadOnlyList<string> StateNames { get; } = momentum == 0 ? ["square_avg"] : ["square_avg", "momentum"];

    private protected override void Update(ParameterGroup group, long step, Tensor[] parameters, Tensor[] grads, Tensor[][] state)
    {
        var direction = group.WeightDecay == 0 ? grads : Foreach.Sum(grads, parameters, group.WeightDecay);
        var square = Column(state, 0);
        Foreach.Multiply(square, alpha);
        Foreach.AddProduct(square, direction, direction, 1 - alpha);
        var root = Foreach.Sqrt(square);
        Foreach.Add(root, eps);
        if (momentum == 0)
        {
            Foreach.AddQuotient(parameters, direction, root, -group.LearningRate);
            return;
        }
        var velocity = Column(state, 1);
        Foreach.Multiply(velocity, momentum);
        Foreach.AddQuotient(velocity, direction, root, 1);
        Foreach.Add(parameters, velocity, -group.LearningRate);
    }
}
