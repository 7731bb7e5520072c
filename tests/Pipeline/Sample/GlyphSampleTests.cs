using DmlPipeline.Cli.Sample;
using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Pipeline.Sample;

public sealed class GlyphSampleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("glyphs").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_sample_lies_in_class_folders_and_the_seed_decides_every_byte()
    {
        GlyphSample.Write(Path.Combine(folder, "a"), 2, 3, 4, seed: 7, CancellationToken.None);
        GlyphSample.Write(Path.Combine(folder, "b"), 2, 3, 4, seed: 7, CancellationToken.None);
        GlyphSample.Write(Path.Combine(folder, "c"), 2, 3, 4, seed: 8, CancellationToken.None);

        var files = Files("a");
        files.Length.ShouldBe(2 * 3 * 4);
        files[^1].ShouldBe(Path.Combine("Alphabet02", "character03", "04.png"));
        Files("b").ShouldBe(files);
        foreach (var file in files)
        {
            Read("b", file).ShouldBe(Read("a", file));
            Read("c", file).ShouldNotBe(Read("a", file));
            var image = ImageDecoder.Decode(Read("a", file), 1, 0, 0, ImageLimits.Default);
            (image.Width, image.Height).ShouldBe((GlyphSample.Side, GlyphSample.Side));
            image.Pixels.Average(p => (double)p).ShouldBeInRange(150, 252); // dark strokes on white
        }
    }

    [Fact]
    public void Characters_can_be_told_apart_but_raw_pixels_do_not_suffice()
    {
        GlyphSample.Write(folder, 4, 10, 10, seed: 1, CancellationToken.None);
        var files = Directory.GetFiles(folder, "*.png", SearchOption.AllDirectories);
        var classes = Array.ConvertAll(files, f => Path.GetDirectoryName(f)!);
        var pixels = Array.ConvertAll(files, f => ImageResizer.Resize(ImageDecoder.Decode(File.ReadAllBytes(f), 1, 0, 0, ImageLimits.Default), 28, 28).Pixels);

        var right = Enumerable.Range(0, files.Length).Count(i => classes[Nearest(pixels, i)] == classes[i]);

        // Chance is 9 in 399.
        ((double)right / files.Length).ShouldBeInRange(0.2, 0.8);
    }

    private static int Nearest(byte[][] pixels, int query)
    {
        var (best, smallest) = (-1, long.MaxValue);
        for (var i = 0; i < pixels.Length; i++)
        {
            if (i == query) continue;
            var distance = 0L;
            for (var p = 0; p < pixels[i].Length; p++) distance += (pixels[i][p] - pixels[query][p]) * (pixels[i][p] - pixels[query][p]);
            if (distance < smallest) (best, smallest) = (i, distance);
        }
        return best;
    }

    private string[] Files(string name) =>
        [.. Directory.GetFiles(Path.Combine(folder, name), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Path.Combine(folder, name), f)).Order(StringComparer.Ordinal)];

    private byte[] Read(string name, string file) => File.ReadAllBytes(Path.Combine(folder, name, file));
}
