using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using DmlPipeline.Learning.Weights.Pickle;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights;

/// <summary>What torch.save wrote before PyTorch 1.6: pickles of a mark, a version, the machine, the value and the storages' names, then the storages.</summary>
internal static class TorchLegacyFile
{
    private const int Version = 1001;
    private static readonly BigInteger Magic = BigInteger.Parse("001950a86a20f9469cfc6c", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>The tensors of the file's state dictionary; they belong to the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Read(Stream file)
    {
        var reader = new PickleReader(file);
        if (reader.Read() is not BigInteger magic || magic != Magic) throw new WeightException("it is a pickle, but not one that torch.save has written");
        if (reader.Read() is not (long and Version)) throw new WeightException($"it is not of version {Version} of torch.save's old format");
        if (reader.Read() is not PickledDictionary machine || machine.Find("little_endian") is not true) throw new WeightException("it was written on a big-endian machine");
        var state = StateDictionary.Find(reader.Read());
        if (reader.Read() is not List<object?> keys) throw new WeightException("it lacks the list of its storages");

        var places = Places(file, keys, reader.Storages);
        return StorageViews.Of(state, storage =>
        {
            if (!places.TryGetValue(storage.Key, out var place)) throw new WeightException($"it lacks the storage '{storage.Key}'");
            file.Position = place;
            return StorageViews.Fill(storage, file, crc32: null);
        });
    }

    /// <summary>Where each storage's values begin: they follow each other, each after its number of elements.</summary>
    private static Dictionary<string, long> Places(Stream file, List<object?> keys, Dictionary<string, PickledStorage> storages)
    {
        var places = new Dictionary<string, long>(StringComparer.Ordinal);
        Span<byte> count = stackalloc byte[sizeof(long)];
        foreach (var key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out var storage)) throw new WeightException($"it lists the storage '{key}', which no tensor uses");
            file.ReadExactly(count);
            if (BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Count) throw new WeightException($"its storage '{name}' has another size than its tensors say");
            if (storage.Bytes > file.Length - file.Position) throw new WeightException($"it ends within the storage '{name}'");
            if (!places.TryAdd(name, file.Position)) throw new WeightException($"it lists the storage '{name}' twice");
            file.Position += storage.Bytes;
        }
        return places;
    }
}
