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
        var mean = Column(state, 0);
        var square = Column(state, 1);
        if (group.WeightDecay != 0) Foreach.Multiply(parameters, 1 - group.LearningRate * group.WeightDecay);
        Foreach.Multiply(mean, beta1);
        Foreach.Add(mean, grads, 1 - beta1);
        Foreach.Multiply(square, beta2);
        Foreach.AddProduct(square, grads, grads, 1 - beta2);
        var denominator = Foreach.Sqrt(square);
        Foreach.Divide(denominator, Math.Sqrt(1 - Math.Pow(beta2, step)));
        Foreach.Add(denominator, eps);
        Foreach.AddQuotient(parameters, mean, denominator, -(group.LearningRate / (1 - Math.Pow(beta1, step))));
    }
}
