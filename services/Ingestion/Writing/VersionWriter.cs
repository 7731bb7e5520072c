using System.Security.Cryptography;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Ingestion.Splits;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Writing;

/// <summary>Writes the objects of one version. Their keys hold their hashes; the manifest, which alone makes the version exist, comes last.</summary>
internal sealed class VersionWriter(IArtifactStore store, Drop drop, int version, DropReading reading, IngestionOptions options)
{
    private const string NearDuplicateSchema = "dmlpipeline.near-duplicates/1";
    private const int ReportEvery = 500;

    private readonly DatasetManifest? parent = reading.Parent?.Manifest;
    private readonly SampleTable samples = reading.Samples;
    private readonly string folder = $"datasets/{drop.Dataset}/v{version}";

    private sealed record NearDuplicateFile(string Schema, int Distance, bool Complete, int AcrossClasses, IReadOnlyList<NearDuplicatePair> Pairs);

    private sealed record NearDuplicatePair(NearDuplicate A, NearDuplicate B, int Distance, bool AcrossClasses);

    private sealed record NearDuplicate(string Sha256, string Class, string Name);

    /// <returns>The version as this drop made it before; null when it does not exist yet.</returns>
    /// <exception cref="VersionTakenException">It exists, by another drop.</exception>
    public static async Task<DatasetBuildResult.Built?> Find(IArtifactStore store, Drop drop, int version, CancellationToken cancel)
    {
        var key = DatasetReader.ManifestKey(drop.Dataset, version);
        if (await store.Find(key, cancel) is null) return null;
        var bytes = new MemoryStream();
        await using (var stream = await store.OpenRead(key, cancel)) await stream.CopyToAsync(bytes, cancel);
        var manifest = JsonSerializer.Deserialize<DatasetManifest>(bytes.ToArray(), ContractJson.Compact)!;
        if (manifest.DropId != drop.DropId) throw new VersionTakenException(drop.Dataset, version, manifest.DropId);
        var counts = new DropCounts(
            manifest.Counts.Added + manifest.Counts.Duplicates + manifest.Counts.Quarantined, manifest.Counts.Added, manifest.Counts.Duplicates, manifest.Counts.Quarantined, 0);
        var reference = new ArtifactRef(key, Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray())), bytes.Length);
        return new DatasetBuildResult.Built(manifest, reference, await QuarantineWriter.Read(store, manifest.Quarantine, cancel), manifest.Quarantine, counts);
    }

    public async Task<(DatasetManifest Manifest, ArtifactRef Reference)> Write(
        SplitPlan plan, Spool spool, DropCounts counts, ArtifactRef? quarantine, Action<int> written, CancellationToken cancel)
    {
        var (grey, darkOnLight) = (0, 0);
        await using var list = TemporaryFile.Create(options.TemporaryFolder);
        if (parent is not null)
        {
            await using var before = await store.OpenRead(parent.Samples.Key, cancel);
            await before.CopyToAsync(list, cancel);
        }
        var known = samples.Count;
        var newShards = await ShardWriter.Write(store, folder, reading.Selection.Images, spool, parent?.Shards.Count ?? 0, options, Place, cancel);
        var (nearDuplicates, pairs) = await WriteNearDuplicates(list, cancel);
        var manifest = new DatasetManifest
        {
            Dataset = drop.Dataset,
            Version = version,
            Parent = parent?.Version,
            // Not the clock: a repeated build must write the same manifest.
            CreatedAt = reading.Newest!.Value,
            DropId = drop.DropId,
            ContentHash = samples.ContentHash(),
            Split = plan.Split,
            Layout = reading.Layout is { IsOfficial: true } layout ? layout.Layout.Key : null,
            Classes = plan.Classes,
            Counts = new DatasetCounts(samples.Count, samples.Count - known, counts.Duplicates, pairs, counts.Quarantined),
            Facts = Facts(grey, darkOnLight),
            Samples = await PutByHash("samples", "jsonl", list, cancel),
            Shards = [.. parent?.Shards ?? [], .. newShards],
            NearDuplicates = nearDuplicates,
            Quarantine = quarantine,
            Recipe = reading.Settings.Recipe ?? parent?.Recipe,
        };
        using var json = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, ContractJson.Indented));
        if (await store.PutIfAbsent(DatasetReader.ManifestKey(drop.Dataset, version), json, cancel) is { } reference)
        {
            await DeleteUnused(manifest, cancel);
            return (manifest, reference);
        }
        // Another build won. If it was this drop's own, its objects are these very ones; if not, ours are left over.
        var winner = await Find(store, drop, version, cancel);
        return (winner!.Manifest, winner.ManifestRef);

        void Place(LabelledImage image, DatasetSample sample)
        {
            samples.Add(sample);
            JsonSerializer.Serialize(list, sample, ContractJson.Compact);
            list.WriteByte((byte)'\n');
            if (image.Content.Facts!.Grey) grey++;
            if (image.Content.Facts.DarkOnLight) darkOnLight++;
            if ((samples.Count - known) % ReportEvery == 0) written(samples.Count - known);
        }
    }

    private async Task<(ArtifactRef? File, int Pairs)> WriteNearDuplicates(FileStream list, CancellationToken cancel)
    {
        var (report, classOf) = samples.NearDuplicates(options.NearDuplicateDistance, options.MaxNearDuplicates);
        if (report.Pairs.Count == 0) return (null, 0);
        var described = await Describe(report.Pairs.SelectMany(pair => (int[])[pair.First, pair.Second]).ToHashSet(), list, cancel);
        var pairs = report.Pairs.Select(pair => new NearDuplicatePair(
            described[pair.First], described[pair.Second], pair.Distance, classOf(pair.First) != classOf(pair.Second))).ToList();
        await using var file = TemporaryFile.Create(options.TemporaryFolder);
        await JsonSerializer.SerializeAsync(
            file, new NearDuplicateFile(NearDuplicateSchema, options.NearDuplicateDistance, report.Complete, pairs.Count(p => p.AcrossClasses), pairs),
            ContractJson.Compact, cancel);
        return (await PutByHash("near-duplicates", "json", file, cancel), pairs.Count);
    }

    /// <summary>Reads again what was written of a few samples.</summary>
    private static async Task<Dictionary<int, NearDuplicate>> Describe(HashSet<int> wanted, FileStream list, CancellationToken cancel)
    {
        var described = new Dictionary<int, NearDuplicate>();
        list.Position = 0;
        using var lines = new StreamReader(list, leaveOpen: true);
        for (var i = 0; await lines.ReadLineAsync(cancel) is { } line; i++)
            if (wanted.Contains(i) && JsonSerializer.Deserialize<DatasetSample>(line, ContractJson.Compact)! is var sample) described[i] = new NearDuplicate(sample.Sha256, sample.Class, sample.Name);
        return described;
    }

    // The hash in the key keeps a rival build of the same version from overwriting what the winner's manifest points to.
    private async Task<ArtifactRef> PutByHash(string name, string extension, FileStream file, CancellationToken cancel)
    {
        file.Position = 0;
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
        file.Position = 0;
        return await store.Put($"{folder}/{name}-{hash[..8]}.{extension}", file, cancel);
    }

    // Colour and brightness of the parent's images are known as its facts only, which count by its number of images.
    private DatasetFacts Facts(int addedGrey, int addedDarkOnLight)
    {
        var known = parent?.Counts.Images ?? 0;
        var grey = (known * parent?.Facts.GreyShare ?? 0) + addedGrey;
        var darkOnLight = (parent?.Facts.DarkOnLight == true ? known : 0) + addedDarkOnLight;
        return new DatasetFacts(Math.Round(grey / samples.Count, 6), samples.MedianWidth(), samples.MedianHeight(), darkOnLight * 2 > samples.Count);
    }

    // What an earlier, abandoned build of this version left: nobody can refer to it any more.
    private async Task DeleteUnused(DatasetManifest manifest, CancellationToken cancel)
    {
        var used = manifest.Shards.Select(s => s.Key)
            .Append(manifest.Samples.Key).Append(manifest.NearDuplicates?.Key).Append(DatasetReader.ManifestKey(drop.Dataset, version)).ToHashSet(StringComparer.Ordinal);
        var unused = new List<string>();
        await foreach (var stored in store.List(folder + "/", cancel))
            if (!used.Contains(stored.Key)) unused.Add(stored.Key);
        foreach (var key in unused) await store.Delete(key, cancel);
    }
}
