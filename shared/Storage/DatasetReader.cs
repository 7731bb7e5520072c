using System.Runtime.CompilerServices;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using Microsoft.Win32.SafeHandles;

namespace DmlPipeline.Storage;

/// <summary>Reads one dataset version: its manifest, its list of samples, and any image by index. Thread-safe.</summary>
public sealed class DatasetReader : IDisposable
{
    private readonly SafeFileHandle[] shards;

    private DatasetReader(DatasetManifest manifest, DatasetSample[] samples, SafeFileHandle[] shards)
    {
        Manifest = manifest;
        Samples = samples;
        this.shards = shards;
    }

    public DatasetManifest Manifest { get; }

    public IReadOnlyList<DatasetSample> Samples { get; }

    public static string ManifestKey(string dataset, int version) => $"datasets/{dataset}/v{version}/manifest.json";

    public static async Task<DatasetReader> Open(IArtifactStore store, string dataset, int version, CancellationToken cancel)
    {
        DatasetManifest manifest;
        await using (var stream = await store.OpenRead(ManifestKey(dataset, version), cancel))
            manifest = (await JsonSerializer.DeserializeAsync<DatasetManifest>(stream, ContractJson.Compact, cancel))!;
        if (manifest.Schema != DatasetManifest.CurrentSchema)
            throw new InvalidDataException($"Dataset {dataset} v{version} has the schema '{manifest.Schema}'; this program reads '{DatasetManifest.CurrentSchema}'.");

        var samples = new List<DatasetSample>(manifest.Counts.Images);
        await foreach (var sample in ReadSamples(store, manifest, cancel)) samples.Add(sample);
        if (samples.Count != manifest.Counts.Images)
            throw new InvalidDataException($"Dataset {dataset} v{version} lists {samples.Count} samples but its manifest counts {manifest.Counts.Images}.");

        // All paths first: a shard that is missing must not leave the files of the others open.
        var files = new List<string>();
        foreach (var shard in manifest.Shards) files.Add(await store.LocalFile(shard.Key, cancel));
        return new DatasetReader(manifest, [.. samples], [.. files.Select(file => File.OpenHandle(file))]);
    }

    /// <summary>The list of samples from its beginning to its end, without keeping it.</summary>
    public static async IAsyncEnumerable<DatasetSample> ReadSamples(IArtifactStore store, DatasetManifest manifest, [EnumeratorCancellation] CancellationToken cancel)
    {
        // A million images have few classes and fewer formats: each is one text, for whoever keeps the samples.
        var shared = new HashSet<string>(StringComparer.Ordinal);
        await using var stream = await store.OpenRead(manifest.Samples.Key, cancel);
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(cancel) is { } line)
        {
            var sample = JsonSerializer.Deserialize<DatasetSample>(line, ContractJson.Compact)!;
            yield return sample with { Class = Share(sample.Class), Format = Share(sample.Format) };
        }

        string Share(string text)
        {
            if (shared.TryGetValue(text, out var same)) return same;
            shared.Add(text);
            return text;
        }
    }

    /// <summary>The bytes of the image file of sample <paramref name="index"/>.</summary>
    public byte[] Read(int index)
    {
        var sample = Samples[index];
        var bytes = new byte[sample.Bytes];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(shards[sample.Shard], bytes.AsSpan(done), sample.Offset + done);
            if (read == 0) throw new InvalidDataException($"Shard {Manifest.Shards[sample.Shard].Key} ends before the image {sample.Name}.");
            done += read;
        }
        return bytes;
    }

    /// <summary>Indexes of the samples whose class lies in the split, in sample order.</summary>
    public int[] IndexesOf(string split)
    {
        var classes = Manifest.Classes.Where(c => c.Split == split).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        return [.. Enumerable.Range(0, Samples.Count).Where(i => classes.Contains(Samples[i].Class))];
    }

    public void Dispose()
    {
        foreach (var shard in shards) shard.Dispose();
    }
}
