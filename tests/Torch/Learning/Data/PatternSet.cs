using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

/// <summary>Small image sets made in memory.</summary>
internal static class PatternSet
{
    /// <summary>Images of random bytes; image i belongs to the class that <paramref name="classSizes"/> puts it in.</summary>
    public static ImageSet Random(ImageShape shape, params int[] classSizes)
    {
        var classes = classSizes.SelectMany((size, label) => Enumerable.Repeat($"class {label:00}", size)).ToArray();
        return ImageSet.FromPixels(shape, classes, Bytes(shape.Bytes * classes.Length, seed: 1));
    }

    public static byte[] Bytes(int count, long seed)
    {
        var random = new CounterRandom(seed, 0);
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)random.Below(256);
        return bytes;
    }

    /// <summary>0,0,…,1,1,…: as many of each label as its size says.</summary>
    public static int[] Labels(params int[] classSizes) => [.. classSizes.SelectMany((size, label) => Enumerable.Repeat(label, size))];
}
