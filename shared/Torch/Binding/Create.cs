using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    private static readonly Op EyeOp = new("aten::eye", "m");
    private static readonly Op ArangeOp = new("aten::arange", "start_step");
    private static readonly Op LinspaceOp = new("aten::linspace");
    private static readonly Op RandintOp = new("aten::randint", "low_generator");
    private static readonly Op RandpermOp = new("aten::randperm", "generator");
    private static readonly Op ZerosLikeOp = new("aten::zeros_like");
    private static readonly Op OnesLikeOp = new("aten::ones_like");
    private static readonly Op EmptyLikeOp = new("aten::empty_like");
    private static readonly Op FullLikeOp = new("aten::full_like");
    private static readonly Op RandLikeOp = new("aten::rand_like");
    private static readonly Op RandnLikeOp = new("aten::randn_like");

    public static Tensor eye(
        long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(EyeOp.Call(rows, columns < 0 ? rows : columns, dtype, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(
        Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(ArangeOp.Call(start, stop, step, dtype, Arg.None, device, Arg.None), requires_grad, null);

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(LinspaceOp.Call(start, end, steps, dtype, Arg.None, device, Arg.None), requires_grad, null);

    /// <summary>Integers in [low, high), 64-bit unless another type is asked for.</summary>
    public static Tensor randint(
        long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        Finish(RandintOp.Call(low, high, size, Arg.From(generator), dtype ?? ScalarType.Int64, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor randint(
        long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator, names);

    public static Tensor randperm(
        long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Finish(RandpermOp.Call(n, Arg.From(generator), dtype ?? ScalarType.Int64, Arg.None, device, Arg.None), requires_grad, null);

    public static Tensor zeros_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(ZerosLikeOp.Call(input, dtype, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor ones_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(OnesLikeOp.Call(input, dtype, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor empty_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(EmptyLikeOp.Call(input, dtype, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor full_like(
        Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(FullLikeOp.Call(input, value, dtype, Arg.None, device, Arg.None), requires_grad, names);

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(RandLikeOp.Call(input, dtype, Arg.None, device, Arg.None), requires_grad, null);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(RandnLikeOp.Call(input, dtype, Arg.None, device, Arg.None), requires_grad, null);

    /// <summary>Copies an array of any rank; its element type decides the tensor's.</summary>
    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    public static Tensor from_array(
        Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        var dims = new long[rawArray.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = rawArray.GetLength(i);
        return rawArray.GetType().GetElementType() switch
        {
            var t when t == typeof(float) => Of<float>(),
            var t when t == typeof(double) => Of<double>(),
            var t when t == typeof(long) => Of<long>(),
            var t when t == typeof(int) => Of<int>(),
            var t when t == typeof(byte) => Of<byte>(),
            var t when t == typeof(bool) => Of<bool>(),
            var t when t == typeof(short) => Of<short>(),
            var t when t == typeof(sbyte) => Of<sbyte>(),
            var t when t == typeof(Half) => Of<Half>(),
            var t => throw new ArgumentException($"No tensor holds values of type {t?.Name}.", nameof(rawArray)),
        };

        Tensor Of<T>()
            where T : unmanaged => FromData<T>(Values<T>(rawArray), dims, dtype, device, requires_grad, names);
    }

    internal static Tensor FromData<T>(
        ReadOnlySpan<T> data, ReadOnlySpan<long> dimensions, ScalarType? dtype, Device? device, bool requiresGrad, string[]? names)
        where T : unmanaged
    {
        long expected = 1;
        foreach (var size in dimensions) expected = checked(expected * size);
        if (expected != data.Length)
            throw new ArgumentException($"{data.Length} values do not fill the shape [{string.Join(", ", dimensions.ToArray())}].", nameof(data));
        var held = empty(dimensions.ToArray(), Tensor.TypeOf<T>());
        MemoryMarshal.AsBytes(data).CopyTo(held.bytes);
        var result = dtype is null && device is null ? held : held.to(dtype ?? held.dtype, device ?? CPU, disposeAfter: true);
        return Finish(result, requiresGrad, names);
    }

    private static Tensor Finish(Tensor made, bool requiresGrad, string[]? names)
    {
        if (names is not null)
        {
            made.Dispose();
            throw new NotSupportedException("Tensors with named dimensions are not supported.");
        }
        return requiresGrad ? made.requires_grad_() : made;
    }

    private static ReadOnlySpan<T> Values<T>(IList<T> list) => list switch
    {
        T[] array => array,
        List<T> items => CollectionsMarshal.AsSpan(items),
        _ => list.ToArray(),
    };

    private static ReadOnlySpan<T> Values<T>(Array array) => array.Length == 0
        ? []
        : MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);
}
