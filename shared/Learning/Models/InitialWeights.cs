using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Models;

/// <summary>First weights, drawn in a fixed order from one seed.</summary>
internal static class InitialWeights
{
    /// <summary>Convolutions: He et al. 2015, normal over the fan out, as torchvision's ResNet. Linear layers: normal over the fan in, bias zero.
    /// Batch normalisation keeps the ones and zeros that it is made with.</summary>
    public static void Draw(nn.Module module, long seed)
    {
        using var noGradient = no_grad();
        manual_seed(seed);
        var parameters = module.named_parameters().ToList();
        var linearLayers = parameters.Where(p => p.parameter.ndim == 2).Select(p => Owner(p.name)).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, parameter) in parameters)
        {
            var shape = parameter.shape;
            if (shape.Length == 4) parameter.copy_(randn(shape) * Math.Sqrt(2.0 / (shape[0] * shape[2] * shape[3])));
            else if (shape.Length == 2) parameter.copy_(randn(shape) * Math.Sqrt(1.0 / shape[1]));
            else if (linearLayers.Contains(Owner(name))) parameter.zero_();
        }
    }

    private static string Owner(string parameterName) => parameterName[..Math.Max(0, parameterName.LastIndexOf('.'))];
}
