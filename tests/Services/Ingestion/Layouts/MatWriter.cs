using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace DmlPipeline.Tests.Services.Ingestion.Layouts;

/// <summary>Writes MATLAB files of version 5, as MATLAB does: whole numbers as bytes, short elements inside their tags.</summary>
internal static class MatWriter
{
    public static byte[] File(params byte[][] variables)
    {
        var header = new byte[128];
        header.AsSpan(0, 116).Fill((byte)' ');
        "MATLAB 5.0 MAT-file, written by a test"u8.CopyTo(header);
        (header[124], header[125], header[126], header[127]) = (0, 1, (byte)'I', (byte)'M');
        return [.. header, .. variables.SelectMany(variable => variable)];
    }

    public static byte[] Compressed(byte[] variable)
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(variable);
        // No padding behind compressed elements.
        return [.. Word(15), .. Word((uint)packed.Length), .. packed.ToArray()];
    }

    public static byte[] Text(string text, string name = "") =>
        Array(4, [1, text.Length], name, Element(4, [.. text.SelectMany(c => BitConverter.GetBytes((ushort)c))]));

    public static byte[] Number(double value, string name = "") => value is >= 0 and <= 255 && double.IsInteger(value)
        ? Array(6, [1, 1], name, Element(2, [(byte)value]))
        : Array(6, [1, 1], name, Element(9, BitConverter.GetBytes(value)));

    public static byte[] Cell(IEnumerable<byte[]> items, string name = "")
    {
        var all = items.ToList();
        return Array(1, [1, all.Count], name, [.. all.SelectMany(item => item)]);
    }

    /// <param name="fields">Names in order.</param>
    /// <param name="elements">Of each element the values in the order of the names.</param>
    /// <param name="name">Of the variable.</param>
    public static byte[] Struct(string[] fields, IEnumerable<byte[][]> elements, string name = "")
    {
        var width = fields.Max(field => field.Length) + 1;
        var names = fields.SelectMany(field => Encoding.ASCII.GetBytes(field.PadRight(width, '\0'))).ToArray();
        var all = elements.ToList();
        return Array(2, [1, all.Count], name, [.. Element(5, BitConverter.GetBytes(width)), .. Element(1, names), .. all.SelectMany(element => element.SelectMany(value => value))]);
    }

    public static byte[] Array(byte kind, int[] dimensions, string name, byte[] content) => Element(14, [
        .. Element(6, [kind, 0, 0, 0, 0, 0, 0, 0]),
        .. Element(5, [.. dimensions.SelectMany(BitConverter.GetBytes)]),
        .. Element(1, Encoding.ASCII.GetBytes(name)),
        .. content]);

    public static byte[] Element(uint type, byte[] data) => data.Length is > 0 and <= 4
        ? [.. Word((uint)data.Length << 16 | type), .. data, .. new byte[4 - data.Length]]
        : [.. Word(type), .. Word((uint)data.Length), .. data, .. new byte[(8 - (data.Length % 8)) % 8]];

    private static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
