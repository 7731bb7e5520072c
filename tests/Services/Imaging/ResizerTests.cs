using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

public class ResizerTests
{
    public static TheoryData<int, int, int, int> Sizes => new()
    {
        { 105, 105, 28, 28 }, { 500, 375, 224, 224 }, { 28, 28, 105, 105 }, { 7, 5, 3, 2 }, { 3, 2, 7, 5 }, { 1, 1, 5, 4 }, { 5, 4, 1, 1 },
        { 64, 64, 64, 32 }, { 64, 64, 32, 64 }, { 16, 3, 15, 3 }, { 17, 40, 16, 41 }, { 1000, 2, 3, 2 }, { 2, 900, 2, 3 }, { 33, 33, 32, 32 },
    };

    [Theory, MemberData(nameof(Sizes))]
    public void Resizing_matches_the_definition_in_double_precision(int width, int height, int newWidth, int newHeight)
    {
        foreach (var channels in (int[])[1, 3])
        {
            var source = Noise(width, height, channels, seed: width + height);

            var resized = ImageResizer.Resize(source, newWidth, newHeight);

            (resized.Width, resized.Height, resized.Channels).ShouldBe((newWidth, newHeight, channels));
            Fixtures.LargestDifference(resized.Pixels, Reference(source, newWidth, newHeight)).ShouldBeLessThanOrEqualTo(1);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(254)]
    [InlineData(255)]
    public void A_flat_image_stays_flat_to_its_edges(byte level)
    {
        foreach (var (width, height) in ((int, int)[])[(31, 17), (3, 200), (100, 1), (64, 64)])
        {
            var pixels = new byte[50 * 40 * 3];
            pixels.AsSpan().Fill(level);

            ImageResizer.Resize(new Image(50, 40, 3, pixels), width, height).Pixels.ShouldAllBe(p => p == level);
        }
    }

    [Fact]
    public void Shrinking_averages_fine_patterns_instead_of_sampling_them()
    {
        // A one-pixel chequerboard, shrunk by four, is grey; sampling every fourth pixel would leave it black or white.
        var pixels = new byte[64 * 64];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(((i % 64) + (i / 64)) % 2 * 255);

        ImageResizer.Resize(new Image(64, 64, 1, pixels), 16, 16).Pixels.ShouldAllBe(p => p >= 120 && p <= 135);
    }

    [Fact]
    public void An_image_of_the_right_size_is_returned_as_it_is()
    {
        var image = Noise(20, 10, 3, seed: 1);

        ImageResizer.Resize(image, 20, 10).ShouldBeSameAs(image);
    }

    [Fact]
    public void Sizes_below_one_are_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => ImageResizer.Resize(Noise(4, 4, 1, seed: 1), 0, 4));
    }

    private static Image Noise(int width, int height, int channels, int seed)
    {
        var pixels = new byte[width * height * channels];
        new Random(seed).NextBytes(pixels);
        return new Image(width, height, channels, pixels);
    }

    /// <summary>The definition: a two-dimensional sum over all input pixels, weighted by both distances.</summary>
    private static byte[] Reference(Image source, int width, int height)
    {
        var horizontal = Weights(source.Width, width);
        var vertical = Weights(source.Height, height);
        var target = new byte[width * height * source.Channels];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < source.Channels; c++)
                {
                    var sum = 0d;
                    foreach (var (sy, wy) in vertical[y])
                        foreach (var (sx, wx) in horizontal[x])
                            sum += wy * wx * source.Pixels[(((sy * source.Width) + sx) * source.Channels) + c];
                    target[(((y * width) + x) * source.Channels) + c] = (byte)Math.Floor(sum + 0.5);
                }
        return target;
    }

    private static List<(int Index, double Weight)>[] Weights(int input, int output)
    {
        var ratio = (double)input / output;
        var radius = Math.Max(1, ratio);
        return [.. Enumerable.Range(0, output).Select(o =>
        {
            var taps = new List<(int Index, double Weight)>();
            for (var i = 0; i < input; i++)
                if (1 - (Math.Abs(i + 0.5 - ((o + 0.5) * ratio)) / radius) is var weight && weight > 0)
                    taps.Add((i, weight));
            var sum = taps.Sum(t => t.Weight);
            return taps.Select(t => (t.Index, t.Weight / sum)).ToList();
        })];
    }
}
