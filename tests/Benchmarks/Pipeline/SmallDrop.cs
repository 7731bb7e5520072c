using System.IO.Compression;
using System.Text;
using DmlPipeline.Imaging;

namespace DmlPipeline.Benchmarks.Pipeline;

/// <summary>A zip of a few tiny pictures: enough for a version, and for a training of a second. As long as one likes, by a file that is no picture.</summary>
internal static class SmallDrop
{
    private const int Side = 28;

    public static byte[] Zip(int seed, int classes, int imagesEach, string? settings = null)
    {
        using var file = new MemoryStream();
        Zip(file, seed, classes, imagesEach, settings, paddingMegabytes: 0);
        return file.ToArray();
    }

    public static void Zip(Stream file, int seed, int classes, int imagesEach, string? settings, int paddingMegabytes)
    {
        var random = new Random(seed);
        using var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true);
        if (settings is not null) Write(zip, "dataset.yaml", Encoding.UTF8.GetBytes(settings));
        for (var c = 0; c < classes; c++)
            for (var i = 0; i < imagesEach; i++)
            {
                var pixels = new byte[Side * Side];
                random.NextBytes(pixels);
                Write(zip, $"class{c}/{i}.png", PngEncoder.Encode(new Image(Side, Side, 1, pixels)));
            }
        if (paddingMegabytes > 0) Write(zip, "readme.txt", new byte[1_000_000], paddingMegabytes);
    }

    private static void Write(ZipArchive zip, string name, byte[] bytes, int times = 1)
    {
        using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        for (var i = 0; i < times; i++) entry.Write(bytes);
    }
}
