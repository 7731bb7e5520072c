using DmlPipeline.Imaging;

namespace DmlPipeline.Ingestion.Reading;

/// <param name="DarkOnLight">A light border and a darker centre, as in ink on paper.</param>
internal sealed record ImageFacts(int Width, int Height, string Format, ulong Hash, bool Grey, bool DarkOnLight);

/// <summary>Decides whether a file is an image that can be trained on, by decoding all of it.</summary>
internal static class ImageCheck
{
    // JPEG can be decoded at an eighth of its size, which is much faster, still reads every coded bit, and leaves enough for the hash.
    private const int Thumbnail = 64;

    // Chroma that JPEG rounding leaves in a grey picture.
    private const int GreyTolerance = 10;

    private static readonly Dictionary<ImageFormat, string> Names = Enum.GetValues<ImageFormat>().ToDictionary(format => format, format => format.ToString().ToLowerInvariant());

    /// <returns>Facts, or the reason for refusing it.</returns>
    public static (ImageFacts? Facts, string? Refusal) Run(byte[] file, IngestionOptions options)
    {
        if (file.Length == 0) return (null, "it is empty (0 bytes)");
        if (Archives.ArchiveKinds.LooksLikeArchive(file)) return (null, "it is an archive inside the drop's folders: put archives directly under the dataset's name, not nested");
        try
        {
            var info = ImageDecoder.ReadHeader(file, options.ImageLimits);
            if (Math.Min(info.Width, info.Height) < options.MinSide)
                return (null, $"it is {info.Width}x{info.Height} pixels; the shorter side needs at least {options.MinSide}");
            var image = ImageDecoder.Decode(file, info.Channels, Thumbnail, Thumbnail, options.ImageLimits);
            var facts = new ImageFacts(
                info.Width, info.Height, Names[info.Format], PerceptualHash.Compute(image), IsGrey(image), IsDarkOnLight(image));
            return (facts, null);
        }
        catch (ImageException e)
        {
            return (null, e.Message);
        }
    }

    private static bool IsGrey(Image image)
    {
        if (image.Channels == 1) return true;
        var pixels = image.Pixels;
        for (var i = 0; i + 2 < pixels.Length; i += 3)
            if (Math.Abs(pixels[i] - pixels[i + 1]) > GreyTolerance || Math.Abs(pixels[i + 1] - pixels[i + 2]) > GreyTolerance) return false;
        return true;
    }

    private static bool IsDarkOnLight(Image image)
    {
        var (width, height, channels) = (image.Width, image.Height, image.Channels);
        long border = 0, borderPixels = 0, centre = 0, centrePixels = 0;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                // Green stands for brightness: it carries most of it.
                var value = image.Pixels[(y * width + x) * channels + channels / 2];
                if (x == 0 || y == 0 || x == width - 1 || y == height - 1)
                {
                    border += value;
                    borderPixels++;
                }
                else if (x >= width / 4 && x < width - width / 4 && y >= height / 4 && y < height - height / 4)
                {
                    centre += value;
                    centrePixels++;
                }
            }
        }
        var light = (double)border / borderPixels;
        return light >= 128 && centrePixels > 0 && light > (double)centre / centrePixels;
    }
}
