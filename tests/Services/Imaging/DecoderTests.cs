using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

public class DecoderTests
{
    // PNG and lossless WebP are exact; other versions of the JPEG and WebP libraries may round otherwise.
    private const int LossyTolerance = 2;

    public static TheoryData<string> Names => [.. Fixtures.Expected.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Every_kind_of_file_decodes_to_the_expected_colours(string name)
    {
        var expected = Fixtures.Expected[name];

        var image = Fixtures.Decode(name, 3);

        (image.Width, image.Height, image.Channels).ShouldBe((expected.Width, expected.Height, 3));
        Fixtures.LargestDifference(image.Pixels, expected.Rgb).ShouldBeLessThanOrEqualTo(Tolerance(name));
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_kind_of_file_decodes_to_the_expected_grey_levels(string name)
    {
        var expected = Fixtures.Expected[name];

        var image = Fixtures.Decode(name, 1);

        (image.Width, image.Height, image.Channels).ShouldBe((expected.Width, expected.Height, 1));
        Fixtures.LargestDifference(image.Pixels, expected.Grey).ShouldBeLessThanOrEqualTo(Tolerance(name));
    }

    [Theory, MemberData(nameof(Names))]
    public void The_header_tells_the_size_that_decoding_gives(string name)
    {
        var info = ImageDecoder.ReadHeader(Fixtures.Bytes(name), ImageLimits.Default);

        (info.Width, info.Height).ShouldBe((Fixtures.Expected[name].Width, Fixtures.Expected[name].Height));
        info.Format.ToString().ShouldBe(Path.GetExtension(name) switch { ".jpg" => "Jpeg", ".png" => "Png", _ => "WebP" });
    }

    [Theory]
    [InlineData("grey-1.png", 1, false, 1, 1)]
    [InlineData("grey-16-transparent.png", 1, true, 16, 1)]
    [InlineData("palette-4.png", 3, false, 4, 1)]
    [InlineData("palette-2-transparent.png", 3, true, 2, 1)]
    [InlineData("grey-alpha-8.png", 1, true, 8, 1)]
    [InlineData("orientation-6.png", 3, false, 8, 6)]
    [InlineData("grey.jpg", 1, false, 8, 1)]
    [InlineData("orientation-7.jpg", 3, false, 8, 7)]
    [InlineData("lossy-alpha.webp", 3, true, 8, 1)]
    [InlineData("orientation-8.webp", 3, false, 8, 8)]
    public void The_header_tells_channels_alpha_depth_and_orientation(string name, int channels, bool alpha, int depth, int orientation)
    {
        var info = ImageDecoder.ReadHeader(Fixtures.Bytes(name), ImageLimits.Default);

        (info.Channels, info.HasAlpha, info.BitDepth, info.Orientation).ShouldBe((channels, alpha, depth, orientation));
    }

    [Fact]
    public void All_eight_orientations_turn_the_same_picture_upright()
    {
        // The file of orientation 1 holds the stored pixels of all: turning them by hand must give what the decoder gives.
        var stored = Fixtures.Decode("orientation-1.jpg", 1);
        byte Stored(int x, int y) => stored.Pixels[(y * stored.Width) + x];
        int w = stored.Width, h = stored.Height;
        Func<int, int, byte>[] turned =
        [
            Stored, (x, y) => Stored(w - 1 - x, y), (x, y) => Stored(w - 1 - x, h - 1 - y), (x, y) => Stored(x, h - 1 - y),
            (x, y) => Stored(y, x), (x, y) => Stored(y, h - 1 - x), (x, y) => Stored(w - 1 - y, h - 1 - x), (x, y) => Stored(w - 1 - y, x),
        ];

        for (var orientation = 1; orientation <= 8; orientation++)
        {
            var image = Fixtures.Decode($"orientation-{orientation}.jpg", 1);
            (image.Width, image.Height).ShouldBe(orientation >= 5 ? (h, w) : (w, h));
            for (var y = 0; y < image.Height; y++)
                for (var x = 0; x < image.Width; x++)
                    image.Pixels[(y * image.Width) + x].ShouldBe(turned[orientation - 1](x, y), $"orientation {orientation} at {x},{y}");
        }
    }

    [Theory]
    [InlineData(60, 45, 60, 45)]
    [InlineData(59, 44, 60, 45)]
    [InlineData(61, 45, 120, 90)]
    [InlineData(30, 10, 30, 23)]
    [InlineData(14, 11, 15, 12)]
    [InlineData(1, 1, 15, 12)]
    [InlineData(300, 300, 120, 90)]
    [InlineData(0, 0, 120, 90)]
    public void A_jpeg_is_decoded_small_but_never_below_the_target(int targetWidth, int targetHeight, int width, int height)
    {
        var image = ImageDecoder.Decode(Fixtures.Bytes("large.jpg"), 3, targetWidth, targetHeight, ImageLimits.Default);

        (image.Width, image.Height).ShouldBe((width, height));
    }

    [Fact]
    public void A_jpeg_decoded_small_looks_like_the_full_image_resized()
    {
        var small = ImageDecoder.Decode(Fixtures.Bytes("large.jpg"), 3, 30, 22, ImageLimits.Default);
        var full = Fixtures.Decode("large.jpg", 3);

        var difference = ImageResizer.Resize(small, 12, 9).Pixels.Zip(ImageResizer.Resize(full, 12, 9).Pixels, (a, b) => Math.Abs(a - b));

        small.Width.ShouldBe(30);
        difference.Average().ShouldBeLessThan(3);
    }

    [Fact]
    public void The_target_size_of_a_turned_jpeg_is_meant_upright()
    {
        var image = ImageDecoder.Decode(Fixtures.Bytes("orientation-6.jpg"), 3, 9, 12, ImageLimits.Default);

        (image.Width, image.Height).ShouldBe((9, 12));
    }

    [Fact]
    public void Many_threads_decode_the_right_pixels_at_once()
    {
        var names = Fixtures.Expected.Keys.Order(StringComparer.Ordinal).ToArray();

        Parallel.For(0, 40 * names.Length, i =>
        {
            var name = names[i % names.Length];
            Fixtures.LargestDifference(Fixtures.Decode(name, 3).Pixels, Fixtures.Expected[name].Rgb).ShouldBeLessThanOrEqualTo(Tolerance(name));
        });
    }

    internal static int Tolerance(string name) =>
        name.EndsWith(".jpg", StringComparison.Ordinal) || name.StartsWith("lossy", StringComparison.Ordinal) ? LossyTolerance : 0;
}
