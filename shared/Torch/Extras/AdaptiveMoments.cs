using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The step that Adam and AdamW share (Kingma and Ba, arXiv:1412.6980, algorithm 1): by the mean of the gradients over the root of their mean square.</summary>
internal static class AdaptiveMoments
{
    public static void Step(
        double learningRate, long step, Tensor[] parameters, Tensor[] grads, Tensor[] mean, Tensor[] square, double beta1, double beta2, double eps)
    {
        Foreach.Multiply(mean, beta1);
        Foreach.Add(mean, grads, 1 - beta1);
        Foreach.Multiply(square, beta2);
        Foreach.AddProduct(square, grads, grads, 1 - beta2);
        var denominator = Foreach.Sqrt(square);
        Foreach.Divide(denominator, Math.Sqrt(1 - Math.Pow(beta2, step)));
        Foreach.Add(denominator, eps);
        Foreach.AddQuotient(parameters, mean, denominator, -(learningRate / (1 - Math.Pow(beta1, step))));
    }
}
