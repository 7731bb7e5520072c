using DmlPipeline.Torch.Binding;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The same operation on many tensors in one call.</summary>
internal static class Foreach
{
    private static readonly Op MulScalar = new("aten::_foreach_mul_", "Scalar");
    private static readonly Op AddScalar = new("aten::_foreach_add_", "Scalar");
    private static readonly Op AddList = new("aten::_foreach_add_", "List");
    private static readonly Op SumList = new("aten::_foreach_add", "List");
    private static readonly Op DivScalar = new("aten::_foreach_div_", "Scalar");
    private static readonly Op Addcmul = new("aten::_foreach_addcmul_", "Scalar");
    private static readonly Op Addcdiv = new("aten::_foreach_addcdiv_", "Scalar");
    private static readonly Op SqrtList = new("aten::_foreach_sqrt");

    /// <summary>targets *= factor</summary>
    internal static void Multiply(Tensor[] targets, double factor) => MulScalar.Run(targets, factor);

    /// <summary>targets += value</summary>
    internal static void Add(Tensor[] targets, double value) => AddScalar.Run(targets, value);

    /// <summary>targets += alpha * others</summary>
    internal static void Add(Tensor[] targets, Tensor[] others, double alpha) => AddList.Run(targets, others, alpha);

    /// <summary>tensors + alpha * others</summary>
    internal static Tensor[] Sum(Tensor[] tensors, Tensor[] others, double alpha) => SumList.CallMany(tensors, others, alpha);

    /// <summary>targets /= divisor</summary>
    internal static void Divide(Tensor[] targets, double divisor) => DivScalar.Run(targets, divisor);

    /// <summary>targets += factor * a * b</summary>
    internal static void AddProduct(Tensor[] targets, Tensor[] a, Tensor[] b, double factor) => Addcmul.Run(targets, a, b, factor);

    /// <summary>targets += factor * a / b</summary>
    internal static void AddQuotient(Tensor[] targets, Tensor[] a, Tensor[] b, double factor) => Addcdiv.Run(targets, a, b, factor);

    /// <summary>The square roots.</summary>
    internal static Tensor[] Sqrt(Tensor[] tensors) => SqrtList.CallMany((Arg)tensors);
}
