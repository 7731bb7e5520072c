namespace DmlPipeline.Imaging;

/// <summary>What one image may cost at most; every bound is checked before the memory or the time is spent.</summary>
public sealed record ImageLimits
{
    public static ImageLimits Default { get; } = new();

    /// <summary>Size of the file in bytes.</summary>
    public long MaxBytes { get; init; } = 64L << 20;

    /// <summary>Width x height. Besides the result, decoding takes up to 6 bytes a pixel for a progressive JPEG, 8 for an interlaced PNG, 4 for a WebP.</summary>
    public long MaxPixels { get; init; } = 64_000_000;

    /// <summary>Width or height in pixels.</summary>
    public int MaxSide { get; init; } = 32_768;

    /// <summary>Scans of a JPEG: an ordinary progressive file has about ten, a malicious one thousands.</summary>
    public int MaxScans { get; init; } = 64;

    /// <summary>Time for decoding one image.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(10);
}
