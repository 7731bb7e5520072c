using System.Buffers;
using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging.Formats;

/// <summary>PNG through libspng, row by row so that the time limit is kept.</summary>
internal static class PngDecoder
{
    private const int RowsBetweenTimeChecks = 64;
    private const nuint MaxAncillaryBytes = 1 << 20;

    public static Image Decode(ReadOnlySpan<byte> file, PngHeader header, int channels, Deadline deadline)
    {
        // Text, colour profiles and the like are none of the decoder's business: without them nothing but pixel data is inflated,
        // and a misplaced one, which libspng refuses, costs no image.
        if (!header.OtherChunks) return DecodeChunks(file, file, header, channels, deadline);
        var kept = ArrayPool<byte>.Shared.Rent(file.Length);
        try
        {
            return DecodeChunks(kept.AsSpan(0, KeepPixelChunks(file, kept)), file, header, channels, deadline);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(kept);
        }
    }

    private static int KeepPixelChunks(ReadOnlySpan<byte> file, Span<byte> kept)
    {
        file[..PngHeader.ChunksStart].CopyTo(kept);
        var written = PngHeader.ChunksStart;
        for (var position = PngHeader.ChunksStart; ;)
        {
            var (type, length) = PngHeader.ChunkAt(file, position);
            var chunk = file.Slice(position, length + PngHeader.ChunkFrame);
            position += chunk.Length;
            if (!PngHeader.ChunkType.MakesPixels(type)) continue;
            chunk.CopyTo(kept[written..]);
            written += chunk.Length;
            if (type == PngHeader.ChunkType.End) return written;
        }
    }

    // kept: the chunks that pixels depend on; file: the whole file, which the header's offsets refer to.
    private static unsafe Image DecodeChunks(ReadOnlySpan<byte> kept, ReadOnlySpan<byte> file, PngHeader header, int channels, Deadline deadline)
    {
        using var expander = new PngRowExpander(file, header, channels);
        var context = Spng.New(0);
        if (context == 0) throw new InvalidOperationException("libspng could not make a decoder: the machine is out of memory.");
        try
        {
            fixed (byte* source = kept)
            {
                Check(Spng.SetImageLimits(context, (uint)header.Width, (uint)header.Height));
                Check(Spng.SetChunkLimits(context, MaxAncillaryBytes, MaxAncillaryBytes));
                Check(Spng.SetSumAction(context, Spng.SumError, Spng.SumError));
                Check(Spng.SetBuffer(context, source, (nuint)kept.Length));
                Check(Spng.DecodeImage(context, null, 0, Spng.FormatRaw, Spng.DecodeProgressive));
                var pixels = new byte[header.Width * header.Height * channels];
                DecodeRows(context, header, expander, pixels, deadline);
                // Checks the last data chunk's sum, which lies behind the last row.
                Check(Spng.DecodeChunks(context));
                return new Image(header.Width, header.Height, channels, pixels);
            }
        }
        finally
        {
            Spng.Free(context);
        }
    }

    private static void DecodeRows(nint context, PngHeader header, PngRowExpander expander, byte[] pixels, Deadline deadline)
    {
        var rowBytes = header.RowBytes;
        if (expander.IsIdentity)
        {
            ReadRows(context, header, pixels, pixels, null, deadline);
            return;
        }

        // The seven passes of an interlaced file fill all rows piecemeal; otherwise one row at a time is enough.
        var buffered = header.Interlaced ? header.Height : 1;
        var raw = ArrayPool<byte>.Shared.Rent(checked(rowBytes * buffered));
        try
        {
            raw.AsSpan(0, rowBytes * buffered).Clear(); // libspng adds the bits of packed samples to what is there
            ReadRows(context, header, raw, pixels, header.Interlaced ? null : expander, deadline);
            if (!header.Interlaced) return;
            var width = pixels.Length / header.Height;
            for (var y = 0; y < header.Height; y++)
                expander.Expand(raw.AsSpan(y * rowBytes, rowBytes), pixels.AsSpan(y * width, width));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }

    // raw: all rows, or one row when an expander turns each into pixels at once.
    private static unsafe void ReadRows(nint context, PngHeader header, byte[] raw, byte[] pixels, PngRowExpander? expander, Deadline deadline)
    {
        var rowBytes = header.RowBytes;
        var width = pixels.Length / header.Height;
        int status, rows = 0;
        do
        {
            Spng.RowInfo info;
            Check(Spng.GetRowInfo(context, &info));
            if (info.Row >= (uint)header.Height) throw Reasons.Damaged("PNG", "it has more rows than its header says");
            var y = (int)info.Row;
            var row = raw.AsSpan(expander is null ? y * rowBytes : 0, rowBytes);
            fixed (byte* target = row)
                status = Spng.DecodeRow(context, target, (nuint)rowBytes);
            if (status is not (0 or Spng.EndOfImage)) throw Explain(status);
            expander?.Expand(row, pixels.AsSpan(y * width, width));
            if (++rows % RowsBetweenTimeChecks == 0) deadline.Check();
        }
        while (status != Spng.EndOfImage);
    }

    private static void Check(int status)
    {
        if (status != 0) throw Explain(status);
    }

    private static Exception Explain(int status) => status switch
    {
        Spng.OutOfMemory => new InvalidOperationException("libspng ran out of memory."),
        Spng.EndOfStream or Spng.EndOfFile => Reasons.Truncated("PNG"),
        _ => Reasons.Damaged("PNG", Spng.Error(status)),
    };
}
