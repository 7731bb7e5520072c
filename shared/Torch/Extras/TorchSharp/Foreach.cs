using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The same operation on many tensors, one after another: TorchSharp has no call for all of them.</summary>
internal static class Foreach
{
    internal static void Multiply(Tensor[] targets, double factor) => Each(targets, t => t.mul_(factor));

    internal static void Add(Tensor[] targets, double value) => Each(targets, t => t.add_(value));

    internal static void Add(Tensor[] targets, Tensor[] others, double alpha)
    {
        for (var i = 0; i < targets.Length; i++) targets[i].add_(others[i], alpha);
    }

    internal static Tensor[] Sum(Tensor[] tensors, Tensor[] others, double alpha) => [.. tensors.Zip(others, (t, o) => t.add(o, alpha))];

    internal static void Divide(Tensor[] targets, double divisor) => Each(targets, t => t.div_(divisor));

    internal static void AddProduct(Tensor[] targets, Tensor[] a, Tensor[] b, double factor)
    {
        for (var i = 0; i < targets.Length; i++) targets[i].addcmul_(a[i], b[i], factor);
    }

    internal static void AddQuotient(Tensor[] targets, Tensor[] a, Tensor[] b, double factor)
    {
        for (var i = 0; i < targets.Length; i++) targets[i].addcdiv_(a[i], b[i], factor);
    }

    internal static Tensor[] Sqrt(Tensor[] tensors) => Array.ConvertAll(tensors, t => t.sqrt());

    private static void Each(Tensor[] tensors, Action<Tensor> change)
    {
        foreach (var tensor in tensors) change(tensor);
    }
}
