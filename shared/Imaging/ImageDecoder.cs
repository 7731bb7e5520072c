using DmlPipeline.Imaging.Formats;

namespace DmlPipeline.Imaging;

/// <summary>Decodes JPEG, PNG and WebP files of unknown origin within bounds; thread-safe, nothing is kept between calls.</summary>
public static class ImageDecoder
{
    /// <summary>What the file says about itself; its structure is walked to the end, so a truncated file is found here already.</summary>
    /// <exception cref="ImageException">The file is no image that <see cref="Decode"/> could read, or is over a limit.</exception>
    public static ImageInfo ReadHeader(ReadOnlySpan<byte> file, ImageLimits limits)
    {
        var format = Open(file, limits);
        var info = format switch
        {
            ImageFormat.Jpeg => Describe(JpegHeader.Read(file, limits)),
            ImageFormat.Png => Describe(PngHeader.Read(file)),
            _ => Describe(WebPHeader.Read(file)),
        };
        Reasons.CheckSize(info.Width, info.Height, limits);
        return OrientedPixels.SwapsSides(info.Orientation) ? info with { Width = info.Height, Height = info.Width } : info;
    }

    /// <summary>Decodes upright pixels with 1 or 3 channels, transparency composed over white; an animated PNG gives its first frame.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="channels">1 (grey) or 3 (RGB); the file's pixels are converted.</param>
    /// <param name="targetWidth">The result will be shrunk to this width by the caller, so that a JPEG may be decoded smaller, but never below it; 0 = full size.</param>
    /// <param name="targetHeight">Likewise for the height.</param>
    /// <param name="limits">What the image may cost at most.</param>
    /// <exception cref="ImageException">The file is no such image, is damaged or truncated, or is over a limit.</exception>
    public static Image Decode(ReadOnlySpan<byte> file, int channels, int targetWidth, int targetHeight, ImageLimits limits)
    {
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), channels, "An image is decoded to 1 or 3 channels.");
        var deadline = new Deadline(limits);
        switch (Open(file, limits))
        {
            case ImageFormat.Jpeg:
                var jpeg = JpegHeader.Read(file, limits);
                Reasons.CheckSize(jpeg.Width, jpeg.Height, limits);
                if (OrientedPixels.SwapsSides(jpeg.Orientation)) (targetWidth, targetHeight) = (targetHeight, targetWidth);
                return OrientedPixels.Apply(JpegDecoder.Decode(file, jpeg, channels, targetWidth, targetHeight, limits), jpeg.Orientation);
            case ImageFormat.Png:
                var png = PngHeader.Read(file);
                Reasons.CheckSize(png.Width, png.Height, limits);
                return OrientedPixels.Apply(PngDecoder.Decode(file, png, channels, deadline), png.Orientation);
            default:
                var webP = WebPHeader.Read(file);
                Reasons.CheckSize(webP.Width, webP.Height, limits);
                return OrientedPixels.Apply(WebPDecoder.Decode(file, webP, channels), webP.Orientation);
        }
    }

    private static ImageFormat Open(ReadOnlySpan<byte> file, ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        if (file.Length > limits.MaxBytes) throw new ImageException($"the file has {file.Length} bytes, the limit is {limits.MaxBytes}");
        return FormatSniffer.Sniff(file);
    }

    private static ImageInfo Describe(JpegHeader header) =>
        new(ImageFormat.Jpeg, header.Width, header.Height, header.Components == 1 ? 1 : 3, HasAlpha: false, 8, header.Orientation);

    private static ImageInfo Describe(PngHeader header) =>
        new(ImageFormat.Png, header.Width, header.Height, header.IsGrey ? 1 : 3, header.HasAlpha, header.BitDepth, header.Orientation);

    private static ImageInfo Describe(WebPHeader header) =>
        new(ImageFormat.WebP, header.Width, header.Height, 3, header.HasAlpha, 8, header.Orientation);
}
