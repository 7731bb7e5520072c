using System.Buffers;
using System.Buffers.Binary;

namespace DmlPipeline.Imaging.Formats;

/// <summary>Turns one row as a PNG stores it (1-16 bits, palette, transparency) into 8-bit grey or RGB over white.</summary>
/// <remarks>libspng can do it too, but at 6 ns a pixel against about 1 here, which is what a one-bit drawing's decoding consists of.</remarks>
internal sealed class PngRowExpander : IDisposable
{
    // By bit depth.
    private static readonly ulong[]?[] UnpackedBits = [null, Unpacked(1), Unpacked(2), null, Unpacked(4)];

    private readonly PngHeader header;
    private readonly int channels;
    private readonly int stored;
    private readonly byte[] samples;
    private readonly byte[]? palette;
    private readonly byte[]? transparentPixel;

    public PngRowExpander(ReadOnlySpan<byte> file, PngHeader header, int channels)
    {
        this.header = header;
        this.channels = channels;
        stored = header.Samples;
        // A whole byte of one-bit samples is written at once, up to seven samples past the row's end.
        samples = ArrayPool<byte>.Shared.Rent((header.Width * stored) + 8);
        if (header.ColourType == PngHeader.Palette)
            palette = PaletteOverWhite(header.PaletteChunk.Of(file), header.TransparencyChunk.Of(file), channels);
        else if (header.Transparency && header.ColourType is PngHeader.Grey or PngHeader.Colour)
            transparentPixel = TransparentPixel(header.TransparencyChunk.Of(file), header);
    }

    /// <summary>Whether the rows are stored as they are wanted, so that there is nothing to expand.</summary>
    public bool IsIdentity => header.BitDepth == 8 && stored == channels && palette is null && transparentPixel is null;

    public void Dispose() => ArrayPool<byte>.Shared.Return(samples);

    /// <param name="raw">The row's bytes, unfiltered.</param>
    /// <param name="target">[Width, channels].</param>
    public void Expand(ReadOnlySpan<byte> raw, Span<byte> target)
    {
        var row = Unpack(raw);
        if (palette is null)
            PixelConversion.Convert(row, stored, target, channels);
        else if (channels == 1)
            for (var x = 0; x < target.Length; x++) target[x] = palette[row[x]];
        else
            for (var x = 0; x < row.Length; x++) palette.AsSpan(row[x] * 3, 3).CopyTo(target[(x * 3)..]);

        if (transparentPixel is null) return;
        // 16-bit samples are compared whole: they may differ in the half that is dropped.
        var compared = header.BitDepth == 16 ? raw : row;
        for (var x = 0; x < header.Width; x++)
            if (compared.Slice(x * transparentPixel.Length, transparentPixel.Length).SequenceEqual(transparentPixel))
                target.Slice(x * channels, channels).Fill(255);
    }

    /// <summary>One byte a sample: grey levels scaled to 0-255, palette indexes as they are, the high half of 16 bits.</summary>
    private ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> raw)
    {
        var count = header.Width * stored;
        if (header.BitDepth == 8) return raw[..count];
        if (header.BitDepth == 16)
        {
            for (var i = 0; i < count; i++) samples[i] = raw[i * 2];
            return samples.AsSpan(0, count);
        }

        var table = UnpackedBits[header.BitDepth]!;
        var perByte = 8 / header.BitDepth;
        var scale = header.ColourType == PngHeader.Palette ? 1UL : (ulong)Scale(header.BitDepth);
        for (int at = 0, i = 0; at < count; at += perByte, i++)
            BinaryPrimitives.WriteUInt64LittleEndian(samples.AsSpan(at), table[raw[i]] * scale);
        return samples.AsSpan(0, count);
    }

    private static int Scale(int depth) => 255 / ((1 << depth) - 1);

    /// <summary>For each byte its samples, one in each byte of a number, the first lowest.</summary>
    private static ulong[] Unpacked(int depth)
    {
        var table = new ulong[256];
        for (var value = 0; value < 256; value++)
            for (var i = 0; i < 8 / depth; i++)
                table[value] |= (ulong)((value >> (8 - (depth * (i + 1)))) & ((1 << depth) - 1)) << (8 * i);
        return table;
    }

    /// <summary>[256, channels]; indexes that the file gives no colour are black.</summary>
    private static byte[] PaletteOverWhite(ReadOnlySpan<byte> colours, ReadOnlySpan<byte> alphas, int channels)
    {
        Span<byte> entries = stackalloc byte[256 * 4];
        entries.Clear();
        for (var i = 0; i < 256; i++)
        {
            if ((i * 3) + 3 <= colours.Length) colours.Slice(i * 3, 3).CopyTo(entries[(i * 4)..]);
            entries[(i * 4) + 3] = i < alphas.Length ? alphas[i] : (byte)255;
        }
        var table = new byte[256 * channels];
        PixelConversion.Convert(entries, 4, table, channels);
        return table;
    }

    /// <summary>The transparent pixel as the rows' bytes show it, or null when no pixel can be that.</summary>
    private static byte[]? TransparentPixel(ReadOnlySpan<byte> chunk, PngHeader header)
    {
        if (chunk.Length != header.Samples * 2) return null;
        if (header.BitDepth == 16) return chunk.ToArray();
        var pixel = new byte[header.Samples];
        for (var i = 0; i < pixel.Length; i++)
        {
            var value = BinaryPrimitives.ReadUInt16BigEndian(chunk[(i * 2)..]);
            if (value >= 1 << header.BitDepth) return null;
            pixel[i] = (byte)(value * Scale(header.BitDepth));
        }
        return pixel;
    }
}
