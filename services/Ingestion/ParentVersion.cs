using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>The version that a new one grows from, with its samples at hand.</summary>
internal sealed class ParentVersion
{
    private readonly Dictionary<string, string> classOf;

    private ParentVersion(DatasetManifest manifest, List<DatasetSample> samples)
    {
        Manifest = manifest;
        Samples = samples;
        classOf = samples.ToDictionary(s => s.Sha256, s => s.Class, StringComparer.Ordinal);
    }

    public DatasetManifest Manifest { get; }

    public IReadOnlyList<DatasetSample> Samples { get; }

    public static async Task<ParentVersion?> Open(IArtifactStore store, DatasetManifest? manifest, CancellationToken cancel)
    {
        if (manifest is null) return null;
        var samples = new List<DatasetSample>(manifest.Counts.Images);
        await using var stream = await store.OpenRead(manifest.Samples.Key, cancel);
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(cancel) is { } line) samples.Add(JsonSerializer.Deserialize<DatasetSample>(line, ContractJson.Compact)!);
        return new ParentVersion(manifest, samples);
    }

    public bool Has(string sha256) => classOf.ContainsKey(sha256);

    public string? ClassOf(string sha256) => classOf.GetValueOrDefault(sha256);
}
