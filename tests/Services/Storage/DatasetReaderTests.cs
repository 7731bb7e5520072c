using System.Text;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Contracts;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class DatasetReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FolderStore store;

    public DatasetReaderTests() => store = folder.OpenStore();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Images_read_back_by_index_and_split()
    {
        await Write(images: ["kea one", "kākā one", "kea two"], classes: ["kea", "kākā", "kea"]);

        using var dataset = await DatasetReader.Open(store, "birds", 1, default);

        dataset.Samples.Select((sample, i) => (sample.Class, Encoding.UTF8.GetString(dataset.Read(i))))
            .ShouldBe([("kea", "kea one"), ("kākā", "kākā one"), ("kea", "kea two")]);
        dataset.IndexesOf(SplitNames.Train).ShouldBe([0, 2]);
        dataset.IndexesOf(SplitNames.Test).ShouldBe([1]);
        dataset.IndexesOf(SplitNames.Validation).ShouldBeEmpty();
    }

    [Fact]
    public async Task Many_threads_read_one_dataset()
    {
        var images = Enumerable.Range(0, 200).Select(i => $"image {i}").ToArray();
        await Write(images, [.. images.Select(_ => "kea")]);
        using var dataset = await DatasetReader.Open(store, "birds", 1, default);

        Parallel.For(0, 2_000, i => Encoding.UTF8.GetString(dataset.Read(i % 200)).ShouldBe(images[i % 200]));
    }

    [Fact]
    public async Task A_version_that_contradicts_itself_is_refused()
    {
        await Write(["one"], ["kea"], manifest => manifest with { Schema = "dmlpipeline.dataset/9" });
        await Refused("dmlpipeline.dataset/9");

        await Write(["one"], ["kea"], manifest => manifest with { Counts = manifest.Counts with { Images = 7 } });
        await Refused("lists 1 samples but its manifest counts 7");
    }

    [Fact]
    public async Task A_shard_that_ends_too_early_is_named()
    {
        await Write(["one", "two"], ["kea", "kea"]);
        await store.Put("datasets/birds/v1/shards/000.tar", new MemoryStream("onet"u8.ToArray()), default);
        using var dataset = await DatasetReader.Open(store, "birds", 1, default);

        Encoding.UTF8.GetString(dataset.Read(0)).ShouldBe("one");
        Should.Throw<InvalidDataException>(() => dataset.Read(1)).Message.ShouldContain("datasets/birds/v1/shards/000.tar ends before the image");
    }

    [Fact]
    public async Task A_version_without_a_manifest_does_not_exist() =>
        (await Should.ThrowAsync<FileNotFoundException>(DatasetReader.Open(store, "birds", 1, default))).Message.ShouldContain("datasets/birds/v1/manifest.json");

    private async Task Refused(string reason) =>
        (await Should.ThrowAsync<InvalidDataException>(DatasetReader.Open(store, "birds", 1, default))).Message.ShouldContain(reason);

    private async Task Write(string[] images, string[] classes, Func<DatasetManifest, DatasetManifest>? change = null)
    {
        var samples = new StringBuilder();
        var shard = new MemoryStream();
        for (var i = 0; i < images.Length; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(images[i]);
            samples.AppendLine(JsonSerializer.Serialize(
                new DatasetSample("", classes[i], images[i], 0, shard.Position, bytes.Length, 1, 1, "png", ""), ContractJson.Compact));
            shard.Write(bytes);
        }
        shard.Position = 0;
        await store.Put("datasets/birds/v1/shards/000.tar", shard, default);
        var manifest = SampleValues.Manifest() with
        {
            Samples = await store.Put("datasets/birds/v1/samples.jsonl", new MemoryStream(Encoding.UTF8.GetBytes(samples.ToString())), default),
            Shards = [new DatasetShard("datasets/birds/v1/shards/000.tar", "", shard.Length, images.Length)],
            Counts = new DatasetCounts(images.Length, images.Length, 0, 0, 0),
        };
        manifest = change?.Invoke(manifest) ?? manifest;
        await store.Put(
            DatasetReader.ManifestKey("birds", 1), new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, ContractJson.Compact)), default);
    }
}
