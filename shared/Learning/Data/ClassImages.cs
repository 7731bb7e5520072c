namespace DmlPipeline.Learning.Data;

/// <summary>The images of each class, classes in the order of their labels.</summary>
internal sealed class ClassImages
{
    private readonly int[][] images;

    public ClassImages(int[] labels)
    {
        if (labels.Length == 0) throw new ArgumentException("The set has no images to draw batches from.");
        images = [.. labels.Select((label, index) => (label, index)).GroupBy(x => x.label, x => x.index).OrderBy(g => g.Key).Select(g => g.ToArray())];
        Sizes = [.. images.Select(own => own.Length)];
    }

    public int Classes => images.Length;

    /// <summary>Images of each class.</summary>
    public int[] Sizes { get; }

    public ReadOnlySpan<int> this[int @class] => images[@class];

    /// <summary>Groups of <paramref name="size"/> images that it takes to see all of each class.</summary>
    public int[] GroupsNeeded(int size) => [.. Sizes.Select(count => (count + size - 1) / size)];

    /// <summary>The images of every class in a fresh random order.</summary>
    public ClassOrders Shuffle(ref CounterRandom random)
    {
        var orders = new int[images.Length][];
        for (var c = 0; c < orders.Length; c++)
        {
            orders[c] = [.. images[c]];
            random.Shuffle<int>(orders[c]);
        }
        return new ClassOrders(orders);
    }
}

/// <summary>For one epoch, the order in which each class deals its images out.</summary>
internal sealed class ClassOrders(int[][] orders)
{
    /// <summary>The batch that consists of these groups: group number n of a class holds the images from n * <paramref name="size"/> on, round and round.</summary>
    public int[] Fill(ReadOnlySpan<(int Class, int Number)> groups, int size)
    {
        var batch = new int[checked(groups.Length * size)];
        for (var g = 0; g < groups.Length; g++)
        {
            var order = orders[groups[g].Class];
            // Neighbours on a circle: as many images in a row are distinct wherever the class has that many.
            for (var k = 0; k < size; k++) batch[(g * size) + k] = order[(int)((((long)groups[g].Number * size) + k) % order.Length)];
        }
        return batch;
    }
}
