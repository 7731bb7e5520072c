namespace DmlPipeline.Imaging.Formats;

/// <summary>The refusals that several formats share, worded alike.</summary>
internal static class Reasons
{
    public static ImageException Truncated(string format) => new($"the {format} data ends too early (truncated file)");

    public static ImageException Damaged(string format, string detail) => new($"the {format} data is damaged: {detail}");

    public static void CheckSize(long width, long height, ImageLimits limits)
    {
        if (width > limits.MaxSide || height > limits.MaxSide)
            throw new ImageException($"the image is {width}x{height} pixels, the limit for one side is {limits.MaxSide}");
        // 8 bytes a pixel (an interlaced PNG with 16 bits and alpha) must fit one array, whatever the limits say.
        var most = Math.Min(limits.MaxPixels, Array.MaxLength / 8);
        if (width * height > most)
            throw new ImageException($"the image is {width}x{height} = {width * height} pixels, the limit is {most}");
    }
}
