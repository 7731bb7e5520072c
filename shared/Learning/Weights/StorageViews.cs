using DmlPipeline.Learning.Weights.Pickle;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights;

/// <summary>Tensors as views of storages, each of which is read once: however many views share one, memory is the file's own size.</summary>
internal static class StorageViews
{
    private const long ChunkElements = 1L << 24; // what one span can address, with room to spare

    /// <summary>The tensors of a state dictionary; they belong to the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Of(IReadOnlyDictionary<string, PickledTensor> state, Func<PickledStorage, Tensor> load)
    {
        var storages = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var (name, tensor) in state)
            {
                if (!storages.TryGetValue(tensor.Storage.Key, out var storage)) storage = storages[tensor.Storage.Key] = load(tensor.Storage);
                tensors[name] = storage.as_strided(tensor.Sizes, tensor.Strides, tensor.Offset);
            }
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
        finally
        {
            foreach (var storage in storages.Values) storage.Dispose();
        }
    }

    /// <summary>Reads a storage's values, little-endian, and checks them against the checksum where there is one.</summary>
    public static Tensor Fill(PickledStorage storage, Stream source, uint? crc32)
    {
        var flat = empty([storage.Count], storage.Type.Scalar);
        try
        {
            var found = Crc32.Start;
            for (long start = 0; start < storage.Count; start += ChunkElements)
            {
                using var chunk = flat.narrow(0, start, Math.Min(ChunkElements, storage.Count - start));
                var bytes = chunk.bytes;
                source.ReadExactly(bytes);
                if (crc32 is not null) found = Crc32.Add(found, bytes);
            }
            if (crc32 is { } expected && Crc32.End(found) != expected) throw new WeightException($"its storage '{storage.Key}' is damaged: the checksum differs");
            return flat;
        }
        catch
        {
            flat.Dispose();
            throw;
        }
    }
}
