using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch.Binding;

/// <summary>The kinds of argument that the shim understands, in its order.</summary>
internal enum ArgTag
{
    Default, None, Tensor, Int, Double, Bool, Ints, Doubles, Tensors, OptionalTensors, Text, Device, Generator, Scalars,
}

/// <summary>One argument of an operator. It keeps what it refers to alive until the call is over.</summary>
internal readonly struct Arg
{
    internal readonly object? Reference;
    internal readonly long Bits;
    internal readonly int Count;
    internal readonly ArgTag Tag;

    private Arg(ArgTag tag, long bits = 0, int count = 0, object? reference = null)
    {
        Tag = tag;
        Bits = bits;
        Count = count;
        Reference = reference;
    }

    /// <summary>The default that the operator's schema states.</summary>
    internal static Arg Default => default;

    internal static Arg None => new(ArgTag.None);

    internal static Arg Scalars(double[] values) => new(ArgTag.Scalars, 0, values.Length, values);

    internal static Arg OptionalTensors(Tensor?[] tensors) => new(ArgTag.OptionalTensors, 0, tensors.Length, tensors);

    internal static Arg From(Generator? generator) => generator is null ? None : new(ArgTag.Generator, generator.Handle, 0, generator);

    public static implicit operator Arg(Tensor? tensor) => tensor is null ? None : new(ArgTag.Tensor, tensor.Handle, 0, tensor);

    public static implicit operator Arg(long value) => new(ArgTag.Int, value);

    public static implicit operator Arg(int value) => new(ArgTag.Int, value);

    public static implicit operator Arg(double value) => new(ArgTag.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Arg(bool value) => new(ArgTag.Bool, value ? 1 : 0);

    public static implicit operator Arg(long? value) => value is { } v ? v : None;

    public static implicit operator Arg(double? value) => value is { } v ? v : None;

    public static implicit operator Arg(long[]? values) => values is null ? None : new(ArgTag.Ints, 0, values.Length, values);

    public static implicit operator Arg(double[]? values) => values is null ? None : new(ArgTag.Doubles, 0, values.Length, values);

    public static implicit operator Arg(Tensor[] tensors) => new(ArgTag.Tensors, 0, tensors.Length, tensors);

    public static implicit operator Arg(ScalarType type) => (long)type;

    public static implicit operator Arg(ScalarType? type) => type is { } t ? (long)t : None;

    public static implicit operator Arg(Device? device) => device is null ? None : new(ArgTag.Device, (long)device.type, device.index);

    public static implicit operator Arg(Scalar? scalar) => scalar is null
        ? None
        : new(scalar.IsBool ? ArgTag.Bool : scalar.IsFloating ? ArgTag.Double : ArgTag.Int, scalar.Bits);

    public static implicit operator Arg(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return new(ArgTag.Text, 0, bytes.Length, bytes);
    }
}
