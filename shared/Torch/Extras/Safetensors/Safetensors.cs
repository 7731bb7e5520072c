using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>
/// Weights as the safetensors format holds them: a header of JSON and raw little-endian values. Nothing in such a file is ever run.
/// </summary>
public static class Safetensors
{
    private const long ChunkElements = 1L << 24; // what one span can address, with room to spare

    /// <summary>Writes tensors of any device and layout, and text about them.</summary>
    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var plans = tensors.Select(t => new SafetensorsWriter.Plan(t.Key, TypeOf(t.Value), t.Value.shape)).ToList();
        foreach (var name in SafetensorsWriter.WriteHeader(stream, plans, metadata))
        {
            using var scope = NewDisposeScope();
            var flat = tensors[name].detach().cpu().contiguous().flatten();
            ForEachChunk(flat, bytes => stream.Write(bytes));
        }
    }

    /// <summary>Reads every tensor of a file into the processor's memory; they belong to the current dispose scope.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Read(string path)
    {
        using var stream = File.OpenRead(path);
        return Read(stream);
    }

    /// <summary>As <see cref="Read(string)"/>, from a stream that knows its length, from its position on.</summary>
    public static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Metadata) Read(Stream stream)
    {
        var header = SafetensorsHeader.Read(stream, stream.Length - stream.Position);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            var tensor = empty(entry.Shape, TypeOf(entry.Type));
            tensors.Add(entry.Name, tensor);
            using var scope = NewDisposeScope();
            ForEachChunk(tensor.flatten(), bytes => stream.ReadExactly(bytes));
        }
        return (tensors, header.Metadata.ToDictionary(StringComparer.Ordinal));
    }

    /// <summary>Writes arrays of floats without touching torch.</summary>
    public static void WriteFloats(
        Stream stream, IReadOnlyDictionary<string, (float[] Data, long[] Shape)> arrays, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.WriteFloats(stream, arrays, metadata);

    /// <summary>Reads a file that holds nothing but 32-bit floats, without touching torch.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or holds other values.</exception>
    public static (Dictionary<string, (float[] Data, long[] Shape)> Arrays, Dictionary<string, string> Metadata) ReadFloats(string path)
    {
        using var stream = File.OpenRead(path);
        return SafetensorsWriter.ReadFloats(stream);
    }

    private static void ForEachChunk(Tensor flat, SpanAction use)
    {
        var count = flat.numel();
        for (long start = 0; start < count; start += ChunkElements)
        {
            using var chunk = flat.narrow(0, start, Math.Min(ChunkElements, count - start));
            use(chunk.bytes);
        }
    }

    private static SafetensorsType TypeOf(Tensor tensor) => tensor.dtype switch
    {
        ScalarType.Float64 => SafetensorsType.F64,
        ScalarType.Float32 => SafetensorsType.F32,
        ScalarType.Float16 => SafetensorsType.F16,
        ScalarType.BFloat16 => SafetensorsType.BF16,
        ScalarType.Int64 => SafetensorsType.I64,
        ScalarType.Int32 => SafetensorsType.I32,
        ScalarType.Int16 => SafetensorsType.I16,
        ScalarType.Int8 => SafetensorsType.I8,
        ScalarType.Byte => SafetensorsType.U8,
        ScalarType.Bool => SafetensorsType.BOOL,
        var type => throw new ArgumentException($"A safetensors file cannot hold {type} values: convert the tensor first.", nameof(tensor)),
    };

    private static ScalarType TypeOf(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 => ScalarType.Float64,
        SafetensorsType.F32 => ScalarType.Float32,
        SafetensorsType.F16 => ScalarType.Float16,
        SafetensorsType.BF16 => ScalarType.BFloat16,
        SafetensorsType.I64 => ScalarType.Int64,
        SafetensorsType.I32 => ScalarType.Int32,
        SafetensorsType.I16 => ScalarType.Int16,
        SafetensorsType.I8 => ScalarType.Int8,
        SafetensorsType.U8 => ScalarType.Byte,
        _ => ScalarType.Bool,
    };

    private delegate void SpanAction(Span<byte> bytes);
}
