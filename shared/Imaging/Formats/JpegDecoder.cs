using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging.Formats;

/// <summary>JPEG through libturbojpeg, shrunk inside the inverse DCT where the caller needs fewer pixels.</summary>
internal static class JpegDecoder
{
    // A scan of a progressive file costs time for every pixel even when it holds almost no bytes, and the library cannot be
    // interrupted. An ordinary file has about ten scans, so the largest image may have sixteen, smaller ones more.
    private const int ScansOfLargestImage = 16;

    public static unsafe Image Decode(ReadOnlySpan<byte> file, JpegHeader header, int channels, int targetWidth, int targetHeight, ImageLimits limits)
    {
        if (header.Progressive && (double)header.Width * header.Height * header.Scans > (double)limits.MaxPixels * ScansOfLargestImage)
            throw new ImageException($"the progressive JPEG has {header.Scans} scans of {header.Width}x{header.Height} pixels, which would take too long to decode");

        var shrink = Shrink(header, targetWidth, targetHeight);
        var width = Scaled(header.Width, shrink);
        var height = Scaled(header.Height, shrink);
        var isCmyk = header.Components == 4;
        var samples = isCmyk ? 4 : channels;
        var pixelFormat = isCmyk ? TurboJpeg.PixelCmyk : channels == 1 ? TurboJpeg.PixelGrey : TurboJpeg.PixelRgb;

        // Zeroed memory: whatever the library leaves unwritten must not be another image's pixels.
        var pixels = new byte[width * height * samples];
        var handle = TurboJpeg.InitDecompress();
        if (handle == 0) throw new InvalidOperationException("libturbojpeg could not make a decoder: the machine is out of memory.");
        try
        {
            int failed;
            fixed (byte* source = file, target = pixels)
                failed = TurboJpeg.Decompress(handle, source, (nuint)file.Length, target, width, width * samples, height, pixelFormat,
                    TurboJpeg.StopOnWarning | TurboJpeg.LimitScans);
            if (failed != 0) throw Explain(TurboJpeg.Error(handle));
        }
        finally
        {
            _ = TurboJpeg.Destroy(handle);
        }
        return new Image(width, height, channels, isCmyk ? PixelConversion.FromCmyk(pixels, channels, inverted: header.Adobe) : pixels);
    }

    /// <summary>1, 2, 4 or 8 (the shrinks that have fast code paths): the strongest that leaves at least the target size.</summary>
    private static int Shrink(JpegHeader header, int targetWidth, int targetHeight)
    {
        if (targetWidth <= 0 || targetHeight <= 0) return 1;
        var shrink = 8;
        while (shrink > 1 && (Scaled(header.Width, shrink) < targetWidth || Scaled(header.Height, shrink) < targetHeight)) shrink /= 2;
        return shrink;
    }

    private static int Scaled(int side, int shrink) => (side + shrink - 1) / shrink;

    private static Exception Explain(string error)
    {
        if (error.Contains("Insufficient memory", StringComparison.OrdinalIgnoreCase)) return new InvalidOperationException($"libturbojpeg: {error}");
        return error.Contains("Premature end", StringComparison.OrdinalIgnoreCase) ? Reasons.Truncated("JPEG") : Reasons.Damaged("JPEG", error.TrimEnd('.', '\n'));
    }
}
