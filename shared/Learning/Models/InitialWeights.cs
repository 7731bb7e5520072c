using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Models;

/// <summary>First weights, drawn in a fixed order from one seed.</summary>
internal static class InitialWeights
{
    private const double TokenDeviation = 0.02;

    /// <summary>Convolutions: He et al. 2015, normal over the fan out, as torchvision's. Linear layers: normal over the fan in. Biases of both: zero. Tokens
    /// and positions of transformers: a deviation of 0.02. Normalisation keeps the ones and zeros that it is made with.</summary>
    public static void Draw(nn.Module module, long seed)
    {
        using var noGradient = no_grad();
        manual_seed(seed);
        var parameters = module.named_parameters().ToList();
        var weighted = parameters.Where(p => p.parameter.ndim is 2 or 4).Select(p => Owner(p.name)).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, parameter) in parameters)
        {
            var shape = parameter.shape;
            if (shape.Length == 4) parameter.copy_(randn(shape) * Math.Sqrt(2.0 / (shape[0] * shape[2] * shape[3])));
            else if (shape.Length == 3) parameter.copy_(randn(shape) * TokenDeviation);
            else if (shape.Length == 2) parameter.copy_(randn(shape) * Math.Sqrt(1.0 / shape[1]));
            else if (weighted.Contains(Owner(name))) parameter.zero_();
        }
    }

    private static string Owner(string parameterName) => parameterName[..Math.Max(0, parameterName.LastIndexOf('.'))];
}
