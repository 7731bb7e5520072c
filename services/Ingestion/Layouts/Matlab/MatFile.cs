using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace DmlPipeline.Ingestion.Layouts.Matlab;

/// <summary>
/// Reads the variables of a MATLAB file of version 5 (format: "MAT-File Format", MathWorks; what MATLAB 5 to 7.2 and scipy write). The file
/// may be hostile: what it unpacks to, how deep it nests and how many arrays it holds is bounded, and no claimed size is believed.
/// </summary>
internal static class MatFile
{
    // The annotations of Cars196 unpack to 9 MiB and hold 130,000 arrays.
    private const int MaxUnpackedBytes = 64 << 20;
    private const int HeaderBytes = 128;

    /// <returns>The variables by name.</returns>
    /// <exception cref="MatFormatException">The file is of another kind, broken, or larger than any annotation.</exception>
    public static IReadOnlyDictionary<string, MatValue> Read(byte[] file)
    {
        if (file.Length < HeaderBytes) throw new MatFormatException("it is shorter than the header of a MATLAB file");
        if (file.AsSpan().StartsWith("MATLAB 7.3"u8)) throw new MatFormatException("it is a MATLAB 7.3 file (HDF5); save it in MATLAB with -v7");
        if (file[126] == 'M' && file[127] == 'I') throw new MatFormatException("it was written on a big-endian machine; load and save it again with MATLAB or scipy");
        if (file[126] != 'I' || file[127] != 'M' || file[125] != 1) throw new MatFormatException("it is no MATLAB file of version 5");

        var variables = new Dictionary<string, MatValue>(StringComparer.Ordinal);
        var arrays = new MatArrays();
        var unpackedLeft = MaxUnpackedBytes;
        for (ReadOnlyMemory<byte> rest = file.AsMemory(HeaderBytes); rest.Length >= 8;)
        {
            var element = MatElement.Next(ref rest);
            var content = element;
            if (element.Type == MatType.Compressed)
            {
                var unpacked = Inflate(element.Data, unpackedLeft);
                unpackedLeft -= unpacked.Length;
                ReadOnlyMemory<byte> inner = unpacked;
                content = MatElement.Next(ref inner);
            }
            if (content.Type != MatType.Matrix) continue;
            var (name, value) = arrays.Read(content.Data, depth: 0);
            variables[name] = value;
        }
        return variables;
    }

    private static byte[] Inflate(ReadOnlyMemory<byte> packed, int max)
    {
        try
        {
            using var stream = new ZLibStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
            using var unpacked = new MemoryStream();
            var buffer = new byte[1 << 16];
            while (stream.Read(buffer) is > 0 and var read)
            {
                if (unpacked.Length + read > max) throw new MatFormatException($"it unpacks to more than {MaxUnpackedBytes >> 20} MiB, which no annotation does");
                unpacked.Write(buffer, 0, read);
            }
            return unpacked.ToArray();
        }
        // A stream that wants a preset dictionary is told by an IOException of the decompressor.
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new MatFormatException($"its compressed data are broken ({e.Message.TrimEnd('.')})");
        }
    }
}

/// <summary>Types of data elements.</summary>
internal enum MatType
{
    Int8 = 1,
    UInt8 = 2,
    Int16 = 3,
    UInt16 = 4,
    Int32 = 5,
    UInt32 = 6,
    Single = 7,
    Double = 9,
    Int64 = 12,
    UInt64 = 13,
    Matrix = 14,
    Compressed = 15,
    Utf8 = 16,
    Utf16 = 17,
    Utf32 = 18,
}

/// <summary>A tagged piece of a file.</summary>
internal readonly record struct MatElement(MatType Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>Takes the next element off the front, with the padding behind it.</summary>
    public static MatElement Next(ref ReadOnlyMemory<byte> rest)
    {
        if (rest.Length < 8) throw new MatFormatException("it ends in the middle of an array");
        var first = BinaryPrimitives.ReadUInt32LittleEndian(rest.Span);
        // The small form: up to four bytes of data inside the tag.
        if (first >> 16 is > 0 and var small)
        {
            if (small > 4) throw new MatFormatException("an element of it has a wrong size");
            var data = rest.Slice(4, (int)small);
            rest = rest[8..];
            return new MatElement((MatType)(first & 0xFFFF), data);
        }
        var size = BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[4..]);
        if (size > rest.Length - 8) throw new MatFormatException("it ends in the middle of an array");
        var element = new MatElement((MatType)first, rest.Slice(8, (int)size));
        // Compressed elements follow one another without padding.
        var padded = element.Type == MatType.Compressed ? size : (size + 7L) & ~7L;
        rest = rest[(int)Math.Min(8 + padded, rest.Length)..];
        return element;
    }

    /// <summary>The numbers, of whatever type they were stored as; MATLAB stores small whole numbers of a double array as bytes.</summary>
    public double[] Numbers()
    {
        var data = Data.Span;
        var bytes = Width;
        var values = new double[data.Length / bytes];
        for (var i = 0; i < values.Length; i++)
        {
            var at = data[(i * bytes)..];
            values[i] = Type switch
            {
                MatType.Int8 => (sbyte)at[0],
                MatType.UInt8 or MatType.Utf8 => at[0],
                MatType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(at),
                MatType.UInt16 or MatType.Utf16 => BinaryPrimitives.ReadUInt16LittleEndian(at),
                MatType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(at),
                MatType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(at),
                MatType.Single => BinaryPrimitives.ReadSingleLittleEndian(at),
                MatType.Double => BinaryPrimitives.ReadDoubleLittleEndian(at),
                MatType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(at),
                _ => BinaryPrimitives.ReadUInt64LittleEndian(at),
            };
        }
        return values;
    }

    /// <summary>The characters, by code unit.</summary>
    public string Text() => Type switch
    {
        MatType.Utf8 => Encoding.UTF8.GetString(Data.Span),
        MatType.Utf16 or MatType.UInt16 => Encoding.Unicode.GetString(Data.Span),
        MatType.Utf32 => Encoding.UTF32.GetString(Data.Span),
        MatType.Int8 or MatType.UInt8 => Encoding.Latin1.GetString(Data.Span),
        _ => throw new MatFormatException("its text has an unknown encoding"),
    };

    private int Width => Type switch
    {
        MatType.Int8 or MatType.UInt8 or MatType.Utf8 => 1,
        MatType.Int16 or MatType.UInt16 or MatType.Utf16 => 2,
        MatType.Int32 or MatType.UInt32 or MatType.Single => 4,
        MatType.Double or MatType.Int64 or MatType.UInt64 => 8,
        _ => throw new MatFormatException($"an array of it holds data of the unknown type {(int)Type}"),
    };
}
