using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DmlPipeline.Torch;

/// <summary>The half of the format that needs no torch: headers, and arrays of floats.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes length and JSON, padded so that the data is aligned to eight bytes; answers the names in the order of their data.</summary>
    internal static IReadOnlyList<string> WriteHeader(Stream stream, List<Plan> plans, IReadOnlyDictionary<string, string>? metadata)
    {
        // The widest types first keeps every tensor aligned to its own element.
        plans.Sort((a, b) =>
        {
            var bySize = SafetensorsEntry.SizeOf(b.Type).CompareTo(SafetensorsEntry.SizeOf(a.Type));
            return bySize != 0 ? bySize : string.CompareOrdinal(a.Name, b.Name);
        });
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 }) WriteMetadata(writer, metadata);
            long at = 0;
            foreach (var plan in plans)
            {
                if (plan.Name == "__metadata__") throw new ArgumentException("No tensor can be named '__metadata__'.", nameof(plans));
                at = WriteEntry(writer, plan, at);
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0) json.WriteByte((byte)' ');
        if (json.Length > SafetensorsHeader.MaxLength) throw new ArgumentException("The header would be longer than the format allows.", nameof(plans));
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        json.WriteTo(stream);
        return [.. plans.Select(p => p.Name)];
    }

    internal static void WriteFloats(
        Stream stream, IReadOnlyDictionary<string, (float[] Data, long[] Shape)> arrays, IReadOnlyDictionary<string, string>? metadata)
    {
        foreach (var (name, array) in arrays)
        {
            long expected = 1;
            foreach (var size in array.Shape) expected = checked(expected * size);
            if (expected != array.Data.Length)
                throw new ArgumentException($"'{name}' has {array.Data.Length} values for the shape [{string.Join(", ", array.Shape)}].", nameof(arrays));
        }
        foreach (var name in WriteHeader(stream, [.. arrays.Select(a => new Plan(a.Key, SafetensorsType.F32, a.Value.Shape))], metadata))
        {
            // In pieces: an array of floats can have more bytes than one span addresses.
            for (var rest = arrays[name].Data.AsSpan(); rest.Length > 0;)
            {
                var piece = rest[..Math.Min(rest.Length, 1 << 24)];
                stream.Write(MemoryMarshal.AsBytes(piece));
                rest = rest[piece.Length..];
            }
        }
    }

    internal static (Dictionary<string, (float[] Data, long[] Shape)> Arrays, Dictionary<string, string> Metadata) ReadFloats(Stream stream)
    {
        var header = SafetensorsHeader.Read(stream, stream.Length - stream.Position);
        var arrays = new Dictionary<string, (float[], long[])>(StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            if (entry.Type != SafetensorsType.F32) throw new InvalidDataException($"'{entry.Name}' holds {entry.Type} values where 32-bit floats are read.");
            var data = new float[(entry.End - entry.Begin) / sizeof(float)];
            for (var rest = data.AsSpan(); rest.Length > 0;)
            {
                var piece = rest[..Math.Min(rest.Length, 1 << 24)];
                stream.ReadExactly(MemoryMarshal.AsBytes(piece));
                rest = rest[piece.Length..];
            }
            arrays.Add(entry.Name, (data, entry.Shape));
        }
        return (arrays, header.Metadata.ToDictionary(StringComparer.Ordinal));
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject("__metadata__");
        foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static long WriteEntry(Utf8JsonWriter writer, Plan plan, long begin)
    {
        long bytes = SafetensorsEntry.SizeOf(plan.Type);
        writer.WriteStartObject(plan.Name);
        writer.WriteString("dtype", plan.Type.ToString());
        writer.WriteStartArray("shape");
        foreach (var size in plan.Shape)
        {
            bytes = checked(bytes * size);
            writer.WriteNumberValue(size);
        }
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(begin);
        writer.WriteNumberValue(begin + bytes);
        writer.WriteEndArray();
        writer.WriteEndObject();
        return begin + bytes;
    }

    /// <summary>One tensor to be written.</summary>
    internal sealed record Plan(string Name, SafetensorsType Type, long[] Shape);
}
