using System.Runtime.CompilerServices;

namespace DmlPipeline.Imaging;

/// <summary>Conversions between pixel layouts: luma of ITU-R BT.601, transparency composed over white.</summary>
internal static class PixelConversion
{
    /// <summary>Converts 1 (grey), 3 (RGB) or 4 (RGBA) interleaved samples to 1 or 3 channels.</summary>
    public static byte[] To(int channels, ReadOnlySpan<byte> source, int samples)
    {
        var count = source.Length / samples;
        var target = GC.AllocateUninitializedArray<byte>(count * channels);
        switch (samples, channels)
        {
            case (1, 3):
                for (var i = 0; i < count; i++) target.AsSpan(i * 3, 3).Fill(source[i]);
                break;
            case (3, 1):
                for (var i = 0; i < count; i++) target[i] = Luma(source[i * 3], source[(i * 3) + 1], source[(i * 3) + 2]);
                break;
            case (4, 1):
                for (var i = 0; i < count; i++)
                {
                    var p = source.Slice(i * 4, 4);
                    target[i] = OverWhite(Luma(p[0], p[1], p[2]), p[3]);
                }
                break;
            case (4, 3):
                for (var i = 0; i < count; i++)
                {
                    var p = source.Slice(i * 4, 4);
                    for (var c = 0; c < 3; c++) target[(i * 3) + c] = OverWhite(p[c], p[3]);
                }
                break;
            default:
                source.CopyTo(target);
                break;
        }
        return target;
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
