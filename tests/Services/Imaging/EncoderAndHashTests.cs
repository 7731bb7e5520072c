using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

public class EncoderAndHashTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 1, 3)]
    [InlineData(23, 17, 1)]
    [InlineData(23, 17, 3)]
    [InlineData(300, 200, 3)]
    public void An_encoded_image_decodes_to_the_same_pixels(int width, int height, int channels)
    {
        var pixels = new byte[width * height * channels];
        new Random(5).NextBytes(pixels);
        var image = new Image(width, height, channels, pixels);

        var file = PngEncoder.Encode(image);

        ImageDecoder.ReadHeader(file, ImageLimits.Default).ShouldBe(new ImageInfo(ImageFormat.Png, width, height, channels, HasAlpha: false, 8, 1));
        ImageDecoder.Decode(file, channels, 0, 0, ImageLimits.Default).Pixels.ShouldBe(pixels);
        PngEncoder.Encode(image).ShouldBe(file);
    }

    [Fact]
    public void Pixels_that_do_not_fill_the_image_are_refused()
    {
        Should.Throw<ArgumentException>(() => new Image(3, 3, 1, new byte[8])).Message.ShouldContain("need 9 bytes, not 8");
        Should.Throw<ArgumentException>(() => new Image(3, 3, 2, new byte[18])).Message.ShouldContain("1 or 3 channels");
    }

    [Fact]
    public void The_hash_hardly_changes_with_size_and_compression_but_does_with_content()
    {
        var large = PerceptualHash.Compute(Fixtures.Decode("large.jpg", 3));
        var resized = PerceptualHash.Compute(ImageResizer.Resize(Fixtures.Decode("large.jpg", 3), 77, 61));
        var mirrored = PerceptualHash.Compute(Fixtures.Decode("orientation-1.jpg", 3));
        var upsideDown = PerceptualHash.Compute(ImageResizer.Resize(new Image(120, 90, 3, [.. Fixtures.Decode("large.jpg", 3).Pixels.Reverse()]), 77, 61));

        PerceptualHash.Distance(large, large).ShouldBe(0);
        PerceptualHash.Distance(large, resized).ShouldBeLessThanOrEqualTo(3);
        PerceptualHash.Distance(PerceptualHash.Compute(Fixtures.Decode("colour-444.jpg", 3)), mirrored).ShouldBeLessThanOrEqualTo(3);
        PerceptualHash.Distance(large, upsideDown).ShouldBeGreaterThan(12);
    }

    [Fact]
    public void Each_bit_of_the_hash_is_one_comparison_of_neighbours()
    {
        var pixels = new byte[9 * 8];
        pixels[(2 * 9) + 5] = 200; // row 2: pixel 4 is darker than pixel 5

        PerceptualHash.Compute(new Image(9, 8, 1, pixels)).ShouldBe(1UL << ((2 * 8) + 4));
        PerceptualHash.Distance(0b1011, 0b0001).ShouldBe(2);
    }
}
