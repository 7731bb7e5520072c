using System.Buffers;
using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging.Formats;

/// <summary>Still WebP, lossy and lossless, through libwebp; the time is bounded by the number of pixels, which the format decodes once.</summary>
internal static class WebPDecoder
{
    public static unsafe Image Decode(ReadOnlySpan<byte> file, WebPHeader header, int channels)
    {
        var count = header.Width * header.Height;
        if (!header.HasAlpha && channels == 3)
        {
            var pixels = new byte[count * 3];
            DecodeInto(file, header, pixels, 3);
            return new Image(header.Width, header.Height, 3, pixels);
        }

        var samples = header.HasAlpha ? 4 : 3;
        var expanded = ArrayPool<byte>.Shared.Rent(count * samples);
        try
        {
            DecodeInto(file, header, expanded, samples);
            return new Image(header.Width, header.Height, channels, PixelConversion.To(channels, expanded.AsSpan(0, count * samples), samples));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(expanded);
        }
    }

    private static unsafe void DecodeInto(ReadOnlySpan<byte> file, WebPHeader header, byte[] pixels, int samples)
    {
        var bytes = (nuint)header.Width * (nuint)header.Height * (nuint)samples;
        byte* decoded;
        fixed (byte* source = file, target = pixels)
            decoded = samples == 4
                ? WebP.DecodeRgba(source, (nuint)file.Length, target, bytes, header.Width * 4)
                : WebP.DecodeRgb(source, (nuint)file.Length, target, bytes, header.Width * 3);
        if (decoded == null) throw Reasons.Damaged("WebP", "its pixels cannot be decoded");
    }
}
