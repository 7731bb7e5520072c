using static TorchSharp.torch;

namespace TorchSharp;

public static class TensorExtensionMethods
{
    public static Modules.Parameter AsParameter(this Tensor tensor) => new(tensor);

    public static int ElementSize(this ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.ComplexFloat64 => 16,
        _ => 8,
    };

    public static float ToSingle(this Tensor value) => (float)ToDouble(value);

    public static double ToDouble(this Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.to(ScalarType.Float64).item<double>();
    }

    public static int ToInt32(this Tensor value) => checked((int)ToInt64(value));

    public static long ToInt64(this Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.to(ScalarType.Int64).item<long>();
    }

    public static bool ToBoolean(this Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.to(ScalarType.Bool).item<bool>();
    }

    /// <summary>Writes element type, shape and bytes, as TorchSharp's own files hold them.</summary>
    public static void Save(this Tensor tensor, BinaryWriter writer)
    {
        using var scope = NewDisposeScope();
        var here = tensor.detach().cpu().contiguous();
        var shape = here.shape;
        writer.Write7BitEncodedInt64((long)here.dtype);
        writer.Write7BitEncodedInt64(shape.Length);
        foreach (var size in shape) writer.Write7BitEncodedInt64(size);
        writer.Flush();
        writer.BaseStream.Write(here.bytes);
    }

    /// <summary>Reads values of the same type and shape into an existing tensor.</summary>
    public static void Load(this Tensor tensor, BinaryReader reader, bool skip = false)
    {
        using var scope = NewDisposeScope();
        using var read = Load(reader);
        if (skip) return;
        if (read.dtype != tensor.dtype)
            throw new ArgumentException($"The file holds {read.dtype} values where the module has {tensor.dtype}: it was saved from another module.");
        if (!read.shape.AsSpan().SequenceEqual(tensor.shape))
        {
            throw new ArgumentException(
                $"The file holds shape [{string.Join(", ", read.shape)}] where the module has [{string.Join(", ", tensor.shape)}]: it was saved from another module.");
        }
        using var quiet = no_grad();
        tensor.copy_(read);
    }

    internal static Tensor Load(BinaryReader reader)
    {
        var type = (ScalarType)reader.Read7BitEncodedInt64();
        if (!Enum.IsDefined(type)) throw new InvalidDataException($"Element type {(sbyte)type} is unknown: the file is damaged or no saved module.");
        var dims = reader.Read7BitEncodedInt64();
        if (dims is < 0 or > 64) throw new InvalidDataException($"{dims} dimensions cannot be: the file is damaged or no saved module.");
        var shape = new long[dims];
        var length = (long)type.ElementSize();
        for (var i = 0; i < dims; i++)
        {
            shape[i] = reader.Read7BitEncodedInt64();
            if (shape[i] < 0) throw new InvalidDataException("A negative size: the file is damaged or no saved module.");
            length = checked(length * shape[i]);
        }
        var stream = reader.BaseStream;
        if (stream.CanSeek && length > stream.Length - stream.Position) throw new EndOfStreamException("The file ends within a tensor.");
        var tensor = empty(shape, type);
        stream.ReadExactly(tensor.bytes);
        return tensor;
    }
}
