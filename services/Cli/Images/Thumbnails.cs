using DmlPipeline.Evaluation.Report;
using DmlPipeline.Imaging;

namespace DmlPipeline.Cli.Images;

/// <summary>Small images for pages.</summary>
internal static class Thumbnails
{
    private const int Side = 96;
    private const int SmallEnough = 6_000;

    /// <summary>The file itself when it is small, else a smaller version as PNG.</summary>
    public static Thumbnail Of(byte[] file)
    {
        var info = ImageDecoder.ReadHeader(file, ImageLimits.Default);
        if (file.Length <= SmallEnough && info.Orientation == 1) return new Thumbnail($"image/{info.Format.ToString().ToLowerInvariant()}", file);
        var scale = Math.Min(1.0, (double)Side / Math.Max(info.Width, info.Height));
        var (width, height) = (Math.Max(1, (int)(info.Width * scale)), Math.Max(1, (int)(info.Height * scale)));
        var image = ImageDecoder.Decode(file, info.Channels, width, height, ImageLimits.Default);
        return new Thumbnail("image/png", PngEncoder.Encode(ImageResizer.Resize(image, width, height)));
    }
}
