using TorchSharp;

namespace DmlPipeline.Learning.Training;

/// <summary>The length of all gradients taken together, and clipping to it.</summary>
internal static class GradientNorm
{
    /// <summary>Measures the L2 norm, and scales all gradients down to <paramref name="most"/> where that is above zero and exceeded.</summary>
    /// <returns>The norm before clipping; NaN or infinite when any gradient is.</returns>
    public static double Clip(IReadOnlyList<torch.Tensor> gradients, double most)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        if (gradients.Count == 0) return 0;
        var norm = (double)torch.stack(gradients.Select(gradient => gradient.norm())).norm().item<float>();
        if (most > 0 && norm > most && double.IsFinite(norm))
            foreach (var gradient in gradients) gradient.mul_(most / norm);
        return norm;
    }
}
