using System.Buffers;
using System.Diagnostics;
using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging.Formats;

/// <summary>PNG through libspng, row by row so that the time limit is kept.</summary>
internal static class PngDecoder
{
    private const int RowsBetweenTimeChecks = 64;

    public static unsafe Image Decode(ReadOnlySpan<byte> file, PngHeader header, int channels, long startedAt, ImageLimits limits)
    {
        // Text, colour profiles and the like are none of the decoder's business: without them nothing but pixel data is inflated,
        // and a misplaced one, which libspng refuses, costs no image.
        if (header.OtherChunks)
        {
            var kept = ArrayPool<byte>.Shared.Rent(file.Length);
            try
            {
                return DecodeChunks(kept.AsSpan(0, KeepPixelChunks(file, kept)), header, channels, startedAt, limits);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(kept);
            }
        }
        return DecodeChunks(file, header, channels, startedAt, limits);
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

    private static unsafe Image DecodeChunks(ReadOnlySpan<byte> file, PngHeader header, int channels, long startedAt, ImageLimits limits)
    {
        var (format, samples) = Layout(header);
        var context = Spng.New(0);
        if (context == 0) throw new InvalidOperationException("libspng could not make a decoder: the machine is out of memory.");
        try
        {
            fixed (byte* source = file)
            {
                Check(Spng.SetImageLimits(context, (uint)header.Width, (uint)header.Height));
                Check(Spng.SetChunkLimits(context, 1 << 20, 1 << 20));
                Check(Spng.SetBuffer(context, source, (nuint)file.Length));
                Check(Spng.DecodeImage(context, null, 0, format, Spng.DecodeProgressive | Spng.DecodeTransparency));
                var image = samples == channels
                    ? DecodeDirectly(context, header, channels, startedAt, limits)
                    : DecodeAndConvert(context, header, samples, channels, startedAt, limits);
                // Checks the last data chunk's sum, which lies behind the last row.
                Check(Spng.DecodeChunks(context));
                return image;
            }
        }
        finally
        {
            Spng.Free(context);
        }
    }

    /// <summary>The smallest layout that libspng can expand this file to, and its bytes per pixel.</summary>
    private static (int Format, int Samples) Layout(PngHeader header) =>
        header.HasAlpha ? (Spng.FormatRgba8, 4)
        : header.ColourType == PngHeader.Grey && header.BitDepth <= 8 ? (Spng.FormatGrey8, 1)
        : (Spng.FormatRgb8, 3);

    private static unsafe Image DecodeDirectly(nint context, PngHeader header, int channels, long startedAt, ImageLimits limits)
    {
        var pixels = new byte[header.Width * header.Height * channels];
        fixed (byte* target = pixels)
            DecodeRows(context, header, target, header.Width * channels, startedAt, limits);
        return new Image(header.Width, header.Height, channels, pixels);
    }

    private static unsafe Image DecodeAndConvert(nint context, PngHeader header, int samples, int channels, long startedAt, ImageLimits limits)
    {
        var expanded = ArrayPool<byte>.Shared.Rent(header.Width * header.Height * samples);
        try
        {
            fixed (byte* target = expanded)
                DecodeRows(context, header, target, header.Width * samples, startedAt, limits);
            var pixels = PixelConversion.To(channels, expanded.AsSpan(0, header.Width * header.Height * samples), samples);
            return new Image(header.Width, header.Height, channels, pixels);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(expanded);
        }
    }

    private static unsafe void DecodeRows(nint context, PngHeader header, byte* pixels, int stride, long startedAt, ImageLimits limits)
    {
        // An interlaced file delivers its rows in seven passes over the whole image.
        var rows = 0;
        int status;
        do
        {
            Spng.RowInfo info;
            Check(Spng.GetRowInfo(context, &info));
            if (info.Row >= (uint)header.Height) throw Reasons.Damaged("PNG", "it has more rows than its header says");
            status = Spng.DecodeRow(context, pixels + ((long)info.Row * stride), (nuint)stride);
            if (status is not (0 or Spng.EndOfImage)) throw Explain(status);
            if (++rows % RowsBetweenTimeChecks == 0 && Stopwatch.GetElapsedTime(startedAt) > limits.MaxTime) throw Reasons.TooSlow(limits);
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
