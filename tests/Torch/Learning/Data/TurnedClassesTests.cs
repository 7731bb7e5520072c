using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class TurnedClassesTests
{
    private static readonly ImageShape Shape = new(2, 3, 3);

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Every_way_of_laying_a_class_is_a_class_of_its_own(int ways)
    {
        using var set = Set("a", "b", "a");
        using var turned = set.WithTurnedClasses(ways);

        turned.Count.ShouldBe(3 * ways);
        turned.ClassNames.Length.ShouldBe(2 * ways);
        turned.ClassNames.Distinct().Count().ShouldBe(2 * ways);
        turned.Labels.Take(5).ShouldBe([0, 1, 0, 2, 3]);
        turned.ClassNames[2].ShouldBe("a turned 90°");
        turned.ImagesPerClass.ShouldAllBe(count => count == 1 || count == 2);
    }

    [Fact]
    public void Images_are_mirrored_first_and_then_turned_counter_clockwise()
    {
        using var set = Set("a", "b");
        using var turned = set.WithTurnedClasses(8);
        var source = new byte[Shape.Bytes];
        var laid = new byte[Shape.Bytes];
        var seen = new HashSet<string>(StringComparer.Ordinal);

        for (var way = 0; way < 8; way++)
        {
            set.CopyPixels(1, source);
            turned.CopyPixels((way * 2) + 1, laid);
            laid.ShouldBe(Naive(source, way), $"way {way}");
            seen.Add(Convert.ToHexString(laid));
        }
        seen.Count.ShouldBe(8);
    }

    [Fact]
    public void Images_that_are_not_square_are_refused()
    {
        using var set = ImageSet.FromPixels(new ImageShape(1, 2, 3), ["a"], new byte[6]);

        Should.Throw<ArgumentException>(() => set.WithTurnedClasses(4)).Message.ShouldContain("square");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(4, true)]
    [InlineData(8, true)]
    [InlineData(2, false)]
    [InlineData(-4, false)]
    public void Classes_are_turned_in_four_or_eight_ways(int ways, bool isAllowed) =>
        (new Augmentation { TurnedClasses = ways }.Problems().Count == 0).ShouldBe(isAllowed);

    private static ImageSet Set(params string[] classes) =>
        ImageSet.FromPixels(Shape, classes, [.. Enumerable.Range(0, classes.Length * Shape.Bytes).Select(i => (byte)i)]);

    /// <summary>numpy's rot90(fliplr(x)) for each channel.</summary>
    private static byte[] Naive(byte[] source, int way)
    {
        var image = source.Chunk(9).Select(plane => plane.Chunk(3).ToArray()).ToArray();
        if (way >= 4) image = [.. image.Select(plane => plane.Select(row => row.Reverse().ToArray()).ToArray())];
        for (var turn = 0; turn < way % 4; turn++)
            image = [.. image.Select(plane => Enumerable.Range(0, 3).Select(row => Enumerable.Range(0, 3).Select(column => plane[column][2 - row]).ToArray()).ToArray())];
        return [.. image.SelectMany(plane => plane).SelectMany(row => row)];
    }
}
