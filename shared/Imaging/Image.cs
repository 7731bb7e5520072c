namespace DmlPipeline.Imaging;

/// <summary>Decoded pixels: 8 bits a sample, rows from top to bottom, channels interleaved (HWC), no padding.</summary>
public sealed class Image
{
    /// <exception cref="ArgumentException">The number of bytes is not width x height x channels, or channels is neither 1 nor 3.</exception>
    public Image(int width, int height, int channels, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (channels is not (1 or 3))
            throw new ArgumentException($"An image has 1 or 3 channels, not {channels}.", nameof(channels));
        if (pixels.LongLength != (long)width * height * channels)
            throw new ArgumentException($"{width}x{height}x{channels} pixels need {(long)width * height * channels} bytes, not {pixels.LongLength}.", nameof(pixels));
        Width = width;
        Height = height;
        Channels = channels;
        Pixels = pixels;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>1 (grey) or 3 (red, green, blue).</summary>
    public int Channels { get; }

    /// <summary>[Height, Width, Channels], row-major.</summary>
    public byte[] Pixels { get; }
}
