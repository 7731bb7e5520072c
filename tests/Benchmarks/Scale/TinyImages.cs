using System.Formats.Tar;
using System.Globalization;
using DmlPipeline.Imaging;
using DmlPipeline.Storage;

namespace DmlPipeline.Benchmarks.Scale;

/// <summary>As many different pictures as one likes, a few hundred bytes each, a hundred to a class; packed as someone with a million of them packs them.</summary>
internal static class TinyImages
{
    private const int Side = 8, PerClass = 100, PerArchive = 100_000;

    /// <summary>Puts them into the inbox in tar archives.</summary>
    /// <returns>How many archives.</returns>
    public static async Task<int> PutArchives(IArtifactStore store, string dataset, int images, string temporary)
    {
        var archives = 0;
        for (var first = 0; first < images; first += PerArchive, archives++)
        {
            await using var file = new FileStream(Path.Combine(temporary, "archive"), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
            await using (var tar = new TarWriter(file, TarEntryFormat.Ustar, leaveOpen: true))
                for (var i = first; i < Math.Min(images, first + PerArchive); i++)
                    tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, Name(i)) { DataStream = new MemoryStream(Png(i), writable: false) });
            file.Position = 0;
            await store.Put(string.Create(CultureInfo.InvariantCulture, $"inbox/{dataset}/images-{archives:D3}.tar"), file, default);
        }
        return archives;
    }

    /// <summary>Puts them into the inbox as single files.</summary>
    public static Task PutFiles(IArtifactStore store, string dataset, int first, int images) =>
        Parallel.ForAsync(first, first + images, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancel) =>
        {
            var key = $"inbox/{dataset}/{Name(i)}";
            using var content = new MemoryStream(Png(i), writable: false);
            if (store is not FolderStore folder) await store.Put(key, content, cancel);
            else
            {
                // As cp does it: nobody waits for the disk after each of his files.
                var path = Path.Combine(folder.Root, key);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllBytesAsync(path, content.ToArray(), cancel);
            }
        });

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"class{number / PerClass:D6}/{number:D8}.png");

    private static byte[] Png(int number)
    {
        var pixels = new byte[Side * Side];
        new Random(number).NextBytes(pixels);
        return PngEncoder.Encode(new Image(Side, Side, 1, pixels));
    }
}
