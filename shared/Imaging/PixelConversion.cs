using System.Runtime.CompilerServices;

namespace DmlPipeline.Imaging;

/// <summary>Conversions between pixel layouts: luma of ITU-R BT.601, transparency composed over white.</summary>
internal static class PixelConversion
{
    /// <summary>Converts whole images or rows; the layouts are as in <see cref="Convert"/>.</summary>
    public static byte[] To(int channels, ReadOnlySpan<byte> source, int samples)
    {
        var target = GC.AllocateUninitializedArray<byte>(source.Length / samples * channels);
        Convert(source, samples, target, channels);
        return target;
    }

    /// <summary>From 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) interleaved samples to 1 or 3 channels.</summary>
    public static void Convert(ReadOnlySpan<byte> source, int samples, Span<byte> target, int channels)
    {
        if (samples == channels)
        {
            source.CopyTo(target);
            return;
        }
        var count = source.Length / samples;
        switch (samples)
        {
            case 1:
                for (var i = 0; i < count; i++) target.Slice(i * 3, 3).Fill(source[i]);
                break;
            case 2:
                for (var i = 0; i < count; i++) target.Slice(i * channels, channels).Fill(OverWhite(source[i * 2], source[(i * 2) + 1]));
                break;
            case 3:
                for (var i = 0; i < count; i++) target[i] = Luma(source[i * 3], source[(i * 3) + 1], source[(i * 3) + 2]);
                break;
            default:
                ConvertRgba(source, target, channels);
                break;
        }
    }

    private static void ConvertRgba(ReadOnlySpan<byte> source, Span<byte> target, int channels)
    {
        for (int i = 0, t = 0; i + 4 <= source.Length; i += 4)
        {
            var p = source.Slice(i, 4);
            if (channels == 1)
            {
                target[t++] = OverWhite(Luma(p[0], p[1], p[2]), p[3]);
                continue;
            }
            target[t++] = OverWhite(p[0], p[3]);
            target[t++] = OverWhite(p[1], p[3]);
            target[t++] = OverWhite(p[2], p[3]);
        }
    }

    /// <summary>Ink to light. Adobe programs store the inks inverted and mark the file; others do not.</summary>
    public static byte[] FromCmyk(ReadOnlySpan<byte> source, int channels, bool inverted)
    {
        var count = source.Length / 4;
        var target = GC.AllocateUninitializedArray<byte>(count * channels);
        var flip = inverted ? 0 : 255;
        for (var i = 0; i < count; i++)
        {
            var p = source.Slice(i * 4, 4);
            var light = p[3] ^ flip;
            var r = Divide255((p[0] ^ flip) * light);
            var g = Divide255((p[1] ^ flip) * light);
            var b = Divide255((p[2] ^ flip) * light);
            if (channels == 1)
                target[i] = Luma(r, g, b);
            else
                (target[i * 3], target[(i * 3) + 1], target[(i * 3) + 2]) = (r, g, b);
        }
        return target;
    }

    /// <summary>0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Luma(int r, int g, int b) => (byte)(((19595 * r) + (38470 * g) + (7471 * b) + 0x8000) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte OverWhite(int value, int alpha) => Divide255((value * alpha) + (255 * (255 - alpha)));

    /// <summary>value / 255, rounded, exact for 0 to 65,025.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Divide255(int value) => (byte)((value + 128 + ((value + 128) >> 8)) >> 8);
}
