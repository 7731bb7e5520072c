namespace TorchSharp;

/// <summary>A number whose kind (truth value, integer, real) is known at run time.</summary>
public sealed class Scalar : IDisposable
{
    private Scalar(torch.ScalarType type, long bits)
    {
        Type = type;
        Bits = bits;
    }

    public torch.ScalarType Type { get; }

    /// <summary>The integer, or the bits of the double.</summary>
    internal long Bits { get; }

    internal bool IsBool => Type == torch.ScalarType.Bool;

    internal bool IsFloating => torch.IsFloating(Type);

    internal double Number => IsFloating ? BitConverter.Int64BitsToDouble(Bits) : Bits;

    internal long Integer => IsFloating ? (long)BitConverter.Int64BitsToDouble(Bits) : Bits;

    public static implicit operator Scalar(byte value) => new(torch.ScalarType.Byte, value);

    public static implicit operator Scalar(sbyte value) => new(torch.ScalarType.Int8, value);

    public static implicit operator Scalar(short value) => new(torch.ScalarType.Int16, value);

    public static implicit operator Scalar(int value) => new(torch.ScalarType.Int32, value);

    public static implicit operator Scalar(long value) => new(torch.ScalarType.Int64, value);

    public static implicit operator Scalar(Half value) => Real(torch.ScalarType.Float16, (double)value);

    public static implicit operator Scalar(float value) => Real(torch.ScalarType.Float32, value);

    public static implicit operator Scalar(double value) => Real(torch.ScalarType.Float64, value);

    public static implicit operator Scalar(bool value) => new(torch.ScalarType.Bool, value ? 1 : 0);

    /// <summary>Nothing is held: the method is there for the shape of the API.</summary>
    public void Dispose()
    {
        // A number owns nothing.
    }

    private static Scalar Real(torch.ScalarType type, double value) => new(type, BitConverter.DoubleToInt64Bits(value));
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;

    public static Scalar ToScalar(this sbyte value) => value;

    public static Scalar ToScalar(this short value) => value;

    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this bool value) => value;

    public static Scalar ToScalar(this Half value) => value;

    public static float ToSingle(this Scalar value) => (float)value.Number;

    public static double ToDouble(this Scalar value) => value.Number;

    public static int ToInt32(this Scalar value) => (int)value.Integer;

    public static long ToInt64(this Scalar value) => value.Integer;

    public static bool ToBoolean(this Scalar value) => value.Number != 0;
}
