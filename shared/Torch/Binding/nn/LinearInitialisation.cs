using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>
/// PyTorch's start values for linear and convolution layers: weights and biases uniform in ±1/sqrt(fan-in), drawn in PyTorch's order
/// so that the same seed gives the same network.
/// </summary>
internal static class LinearInitialisation
{
    internal static void Reset(Parameter weight, Parameter? bias)
    {
        nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
        if (bias is null) return;
        var (fanIn, _) = nn.init.CalculateFanInAndFanOut(weight);
        var bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
        nn.init.uniform_(bias, -bound, bound);
    }
}
