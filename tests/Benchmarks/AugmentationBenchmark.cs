using System.Diagnostics;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Benchmarks;

/// <summary>Augmented images per second on one thread.</summary>
internal static class AugmentationBenchmark
{
    private static readonly Augmentation Affine = new() { Rotate = 15, Scale = 0.15, Translate = 0.1, Shear = 10 };

    private static readonly Augmentation Everything = Affine with
    {
        Flip = 0.5, Crop = 0.5, Brightness = 0.2, Contrast = 0.2, Saturation = 0.2, Erase = 0.3,
    };

    public static int Run(string[] args)
    {
        _ = args;
        Console.WriteLine($"{"shape",-14}{"affine/s",12}{"everything/s",14}");
        foreach (var shape in new ImageShape[] { new(1, 28, 28), new(1, 64, 64), new(3, 64, 64), new(3, 224, 224) })
            Console.WriteLine($"{shape,-14}{PerSecond(shape, Affine),12:#,0}{PerSecond(shape, Everything),14:#,0}");
        return 0;
    }

    private static double PerSecond(ImageShape shape, Augmentation augmentation)
    {
        var augmenter = new Augmenter(shape, augmentation);
        byte[] source = new byte[shape.Bytes], target = new byte[shape.Bytes];
        var random = new CounterRandom(1, 1);
        for (var i = 0; i < source.Length; i++) source[i] = (byte)random.Below(256);

        Count(TimeSpan.FromSeconds(0.5));
        var (images, seconds) = Count(TimeSpan.FromSeconds(2));
        return images / seconds;

        (int Images, double Seconds) Count(TimeSpan limit)
        {
            var start = Stopwatch.GetTimestamp();
            var done = 0;
            while (Stopwatch.GetElapsedTime(start) < limit)
                for (var end = done + 20; done < end; done++) augmenter.Apply(source, target, seed: 1, step: 2, done);
            return (done, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }
}
