using System.IO.Compression;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Benchmarks;

/// <summary>Images of a zip of class folders, with some top folders held out: Omniglot's alphabets.</summary>
internal static class HeldOutFolders
{
    /// <summary>The test alphabets of the split that the pipeline makes of Omniglot's background set.</summary>
    public const string OfOurSplit =
        "Asomtavruli_(Georgian),Bengali,Futurama,Greek,Gujarati,Japanese_(katakana),Latin,Ojibwe_(Canadian_Aboriginal_Syllabics)";

    /// <summary>Six that a script for pytorch-metric-learning holds out.</summary>
    public const string OfPeersScript = "Tifinagh,Sanskrit,Korean,Grantha,Mkhedruli_(Georgian),Cyrillic";

    /// <summary>The held images, or all the others.</summary>
    public static ImageSet Load(string zip, ImageShape shape, string[] held, bool isHeld)
    {
        using var archive = ZipFile.OpenRead(zip);
        var files = archive.Entries
            .Where(entry => Path.GetExtension(entry.FullName).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" && held.Contains(entry.FullName.Split('/')[0]) == isHeld)
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry =>
            {
                using var stream = entry.Open();
                using var memory = new MemoryStream();
                stream.CopyTo(memory);
                return (Class: Path.GetDirectoryName(entry.FullName)!, Bytes: memory.ToArray());
            }).ToList();
        if (files.Count == 0) throw new InvalidDataException($"{zip} holds no images {(isHeld ? "in" : "outside of")} the folders {string.Join(", ", held)}.");
        return ImageSet.Load(shape, [.. files.Select(file => file.Class)], i => files[i].Bytes, 1L << 32, Environment.ProcessorCount, decoded: null, CancellationToken.None);
    }
}
