using System.IO.Compression;
using DmlPipeline.Learning.Weights.Pickle;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights;

/// <summary>What torch.save writes since PyTorch 1.6: a zip archive of a pickle and of one file for each storage, none of them compressed.</summary>
internal static class TorchArchive
{
    private const int MostEntries = 200_000;

    /// <summary>The tensors of the file's state dictionary; they belong to the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Read(Stream file)
    {
        using var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        var entries = Entries(archive);
        var pickles = entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles is not [var pickle]) throw new WeightException("it is a zip archive, but not one that torch.save has written: it needs exactly one 'data.pkl'");
        var root = pickle[..^"data.pkl".Length];
        if (entries.TryGetValue(root + "byteorder", out var order) && StartsWithBig(order)) throw new WeightException("it was written on a big-endian machine");

        var state = StateDictionary.Find(Unpickle(entries[pickle]));
        return StorageViews.Of(state, storage =>
        {
            var entry = entries.GetValueOrDefault($"{root}data/{storage.Key}") ?? throw new WeightException($"it lacks the storage '{storage.Key}'");
            if (entry.Length != storage.Bytes) throw new WeightException($"its storage '{storage.Key}' has {entry.Length} bytes where its tensors need {storage.Bytes}");
            using var content = entry.Open();
            return StorageViews.Fill(storage, content, entry.Crc32);
        });
    }

    private static Dictionary<string, ZipArchiveEntry> Entries(ZipArchive archive)
    {
        if (archive.Entries.Count > MostEntries) throw new WeightException($"it is a zip archive of {archive.Entries.Count} files");
        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            // A compressed entry could unfold to any size; PyTorch never compresses.
            if (entry.CompressedLength != entry.Length) throw new WeightException($"'{entry.FullName}' in it is compressed, which torch.save never does");
            if (!entries.TryAdd(entry.FullName, entry)) throw new WeightException($"it holds '{entry.FullName}' twice");
        }
        return entries;
    }

    private static object? Unpickle(ZipArchiveEntry entry)
    {
        if (entry.Length > PickleReader.MostBytes) throw new WeightException($"its pickle is larger than {PickleReader.MostBytes >> 20} MiB");
        using var content = entry.Open();
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        return new PickleReader(new MemoryStream(bytes)).Read();
    }

    private static bool StartsWithBig(ZipArchiveEntry order)
    {
        using var content = order.Open();
        return content.ReadByte() == 'b';
    }
}
