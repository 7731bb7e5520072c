using System.Buffers.Binary;
using System.Text.Json;

namespace DmlPipeline.Torch;

/// <summary>
/// The header of a safetensors file: eight bytes of length, then JSON that names each tensor, its type, shape and place.
/// Everything is checked before anything is allocated for the data, so that a hostile file costs no more than its own size.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The format's own limit on the JSON.</summary>
    public const int MaxLength = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private SafetensorsHeader(List<SafetensorsEntry> entries, Dictionary<string, string> metadata, long dataStart)
    {
        Entries = entries;
        Metadata = metadata;
        DataStart = dataStart;
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Where the data begins in the file.</summary>
    public long DataStart { get; }

    /// <summary>Reads and checks the header of a file of <paramref name="fileLength"/> bytes from its start.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, hostile, or of a newer kind.</exception>
    public static SafetensorsHeader Read(Stream stream, long fileLength)
    {
        if (fileLength < 8) throw Bad("it is shorter than eight bytes");
        Span<byte> lengthBytes = stackalloc byte[8];
        stream.ReadExactly(lengthBytes);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > MaxLength) throw Bad($"its header claims {length} bytes, more than the format allows");
        if ((long)length > fileLength - 8) throw Bad("it ends within its header");
        var json = new byte[length];
        stream.ReadExactly(json);
        return Parse(json, fileLength - 8 - (long)length);
    }

    /// <summary>Checks a header's JSON against the length of the data that follows it.</summary>
    /// <exception cref="InvalidDataException">The header is no valid one, or does not fit the data.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        if (json.Length == 0 || json[0] != (byte)'{') throw Bad("its header is no JSON object");
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Dictionary<string, string>? metadata = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            Next(ref reader, JsonTokenType.StartObject);
            while (NextProperty(ref reader, out var name))
            {
                if (!names.Add(name)) throw Bad($"it names '{name}' twice");
                if (name == MetadataKey) metadata = ReadMetadata(ref reader);
                else entries.Add(ReadEntry(ref reader, name));
            }
            while (reader.Read())
            {
                // Only white space may follow; anything else makes the reader throw.
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"The safetensors file is damaged: its header is no valid JSON ({e.Message}).", e);
        }
        CheckPlaces(entries, dataLength);
        return new SafetensorsHeader(entries, metadata ?? new(StringComparer.Ordinal), 8 + json.Length);
    }

    // The data must be filled without overlap and without a hole, in which something could hide.
    private static void CheckPlaces(List<SafetensorsEntry> entries, long dataLength)
    {
        entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long at = 0;
        foreach (var entry in entries)
        {
            if (entry.Begin != at) throw Bad($"the data of '{entry.Name}' begins at {entry.Begin} where {at} was expected");
            long bytes = SafetensorsEntry.SizeOf(entry.Type);
            try
            {
                foreach (var size in entry.Shape) bytes = checked(bytes * size);
            }
            catch (OverflowException)
            {
                throw Bad($"the shape of '{entry.Name}' is larger than any memory");
            }
            if (entry.End < entry.Begin || entry.End - entry.Begin != bytes)
                throw Bad($"'{entry.Name}' needs {bytes} bytes but takes {entry.Begin} to {entry.End}");
            at = entry.End;
        }
        if (at != dataLength) throw Bad($"its tensors take {at} bytes of {dataLength}");
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Next(ref reader, JsonTokenType.StartObject);
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (NextProperty(ref reader, out var field))
        {
            switch (field)
            {
                case "dtype" when type is null:
                    type = ReadType(ref reader, name);
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name);
                    break;
                default:
                    throw Bad($"'{name}' has an unknown or repeated field '{field}'");
            }
        }
        if (type is null || shape is null || offsets is not { Length: 2 }) throw Bad($"'{name}' lacks its type, shape or place");
        return new SafetensorsEntry(name, type.Value, shape, offsets[0], offsets[1]);
    }

    private static SafetensorsType ReadType(ref Utf8JsonReader reader, string name)
    {
        Next(ref reader, JsonTokenType.String);
        var text = reader.GetString()!;
        foreach (var type in Enum.GetValues<SafetensorsType>())
            if (type.ToString() == text) return type;
        throw Bad($"'{name}' has the element type '{text}', which is not supported");
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string name)
    {
        Next(ref reader, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0 || numbers.Count == 64)
                throw Bad($"'{name}' has a size or place that is no natural number, or too many of them");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static Dictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
    {
        Next(ref reader, JsonTokenType.StartObject);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (NextProperty(ref reader, out var key))
        {
            Next(ref reader, JsonTokenType.String);
            if (!metadata.TryAdd(key, reader.GetString()!)) throw Bad($"its metadata names '{key}' twice");
        }
        return metadata;
    }

    private static bool NextProperty(ref Utf8JsonReader reader, out string name)
    {
        name = "";
        if (!reader.Read()) throw Bad("its header ends too early");
        if (reader.TokenType == JsonTokenType.EndObject) return false;
        name = reader.GetString()!;
        return true;
    }

    private static void Next(ref Utf8JsonReader reader, JsonTokenType expected)
    {
        if (!reader.Read() || reader.TokenType != expected) throw Bad($"its header has a {reader.TokenType} where a {expected} belongs");
    }

    private static InvalidDataException Bad(string what) => new($"The safetensors file is damaged: {what}.");
}
