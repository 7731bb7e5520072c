using DmlPipeline.Imaging;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class ImageSetTests
{
    private static readonly ImageShape Grey = new(1, 12, 10);

    [Fact]
    public void Labels_are_places_in_the_ordinal_order_of_class_names()
    {
        using var set = ImageSet.FromPixels(new ImageShape(1, 1, 1), ["zebra", "Ant", "zebra", "bee"], [1, 2, 3, 4]);

        set.ClassNames.ShouldBe(["Ant", "bee", "zebra"]);
        set.Labels.ShouldBe([2, 0, 2, 1]);
        set.ImagesPerClass.ShouldBe([1, 1, 2]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Images_decoded_on_demand_equal_cached_ones(int channels)
    {
        var shape = new ImageShape(channels, 12, 10);
        var files = Enumerable.Range(0, 9).Select(i => Png(channels, 20 + i, 15 + i, i)).ToArray();
        var classes = files.Select((_, i) => $"c{i % 3}").ToArray();
        var told = 0;
        using var cached = ImageSet.Load(shape, classes, i => files[i], cacheBytes: 1 << 20, threads: 3, done => told = Math.Max(told, done), CancellationToken.None);
        using var onDemand = ImageSet.Load(shape, classes, i => files[i], cacheBytes: 10, threads: 3, decoded: null, CancellationToken.None);
        byte[] a = new byte[shape.Bytes], b = new byte[shape.Bytes];

        (cached.IsCached, onDemand.IsCached).ShouldBe((true, false));
        told.ShouldBe(9);
        for (var i = 0; i < files.Length; i++)
        {
            cached.CopyPixels(i, a);
            onDemand.CopyPixels(i, b);
            a.ShouldBe(b);
            a.Distinct().Count().ShouldBeGreaterThan(1);
        }
    }

    [Fact]
    public void Colour_becomes_planes()
    {
        var file = PngEncoder.Encode(TestImage(3, 2, 1, [10, 20, 30, 40, 50, 60]));
        using var set = ImageSet.Load(new ImageShape(3, 1, 2), ["x"], _ => file, 1000, 1, null, CancellationToken.None);
        var pixels = new byte[6];

        set.CopyPixels(0, pixels);

        pixels.ShouldBe([10, 40, 20, 50, 30, 60]);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public void A_broken_image_is_named_with_its_class_and_the_reason(long cacheBytes)
    {
        byte[][] files = [Png(1, 20, 20, 0), [1, 2, 3], Png(1, 20, 20, 1)];
        string[] names = ["a/1.png", "b/2.png", "c/3.png"];

        var error = Should.Throw<InvalidDataException>(() =>
        {
            using var set = ImageSet.Load(Grey, ["a", "b", "c"], i => files[i], i => names[i], cacheBytes, threads: 2, decoded: null, CancellationToken.None);
            set.CopyPixels(1, new byte[Grey.Bytes]);
        });

        error.Message.ShouldStartWith("Image b/2.png of the class 'b' cannot be read: ");
        error.Message.ShouldContain("Replace or remove it");
    }

    [Fact]
    public void A_subset_has_the_images_in_the_order_asked_for_and_labels_of_its_own()
    {
        using var set = PatternSet.Random(new ImageShape(1, 4, 4), 3, 2, 4);

        var subset = set.Subset([8, 0, 7]).Subset([0, 1]);

        subset.ClassNames.ShouldBe(["class 00", "class 02"]);
        subset.Labels.ShouldBe([1, 0]);
        var (pixels, original) = (new byte[16], new byte[16]);
        subset.CopyPixels(0, pixels);
        set.CopyPixels(8, original);
        pixels.ShouldBe(original);
    }

    [Fact]
    public void Loading_stops_when_it_is_cancelled() =>
        Should.Throw<OperationCanceledException>(() => ImageSet.Load(Grey, ["a"], _ => Png(1, 5, 5, 0), 1 << 20, 1, null, new CancellationToken(canceled: true)));

    [Fact]
    public void A_wrong_amount_of_pixels_is_refused() =>
        Should.Throw<ArgumentException>(() => ImageSet.FromPixels(Grey, ["a", "b"], new byte[7])).Message.ShouldContain("240 bytes, not 7");

    private static byte[] Png(int channels, int width, int height, int seed) =>
        PngEncoder.Encode(TestImage(channels, width, height, PatternSet.Bytes(channels * width * height, seed)));

    private static Image TestImage(int channels, int width, int height, byte[] pixels) => new(width, height, channels, pixels);
}
