using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Tests.Services.Ingestion;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>What ingestion makes of a drop does not depend on where the objects lie.</summary>
public sealed class DatasetInBucketTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private S3Store bucket = null!;
    private FolderStore local = null!;

    public async Task InitializeAsync()
    {
        bucket = await S3Store.Open(await S3Samples.NewBucket(folder), createBucket: true, default);
        local = folder.OpenStore();
    }

    public Task DisposeAsync()
    {
        bucket.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Drops_of_every_form_become_the_same_versions_in_a_bucket_as_in_a_folder()
    {
        var (inBucket, inFolder) = (await Grow(bucket), await Grow(local));

        inBucket.ContentHash.ShouldBe(inFolder.ContentHash);
        inBucket.Shards.ShouldBe(inFolder.Shards);
        inBucket.Quarantine.ShouldNotBeNull();
        using var reader = await DatasetReader.Open(bucket, "toys", 2, default);
        using var expected = await DatasetReader.Open(local, "toys", 2, default);
        reader.Samples.ShouldBe(expected.Samples);
        for (var i = 0; i < reader.Samples.Count; i++) reader.Read(i).ShouldBe(expected.Read(i));
    }

    /// <summary>Class folders and a broken file, then archives: two versions, of which the second shares the first one's shards.</summary>
    private async Task<DatasetManifest> Grow(IArtifactStore store)
    {
        foreach (var (path, bytes) in TestImages.Classes(4, 3)) await Put(store, path, bytes);
        await Put(store, "class00/broken.png", [1, 2, 3]);
        var first = await Build(store, null);
        await Put(store, "pack.zip", TestArchives.Zip([.. TestImages.Classes(2, 3, "zipped", 20_000)]));
        await Put(store, "pack.tar.gz", TestArchives.Gzip(TestArchives.Tar([.. TestImages.Classes(2, 3, "tarred", 30_000)])));
        return await Build(store, first);
    }

    private static Task Put(IArtifactStore store, string path, byte[] bytes) => store.Put($"inbox/toys/{path}", new MemoryStream(bytes), default);

    private async Task<DatasetManifest> Build(IArtifactStore store, DatasetManifest? parent)
    {
        var version = (parent?.Version ?? 0) + 1;
        var drop = new Drop($"drop-{version}", "toys", store.List("inbox/toys/", default));
        var options = new IngestionOptions { Threads = 2, TemporaryFolder = Path.Combine(folder.Path, "temporary") };
        var result = await DatasetBuilder.Build(store, drop, parent, version, options, null, default);
        return result.ShouldBeOfType<DatasetBuildResult.Built>((result as DatasetBuildResult.Rejected)?.Reason).Manifest;
    }
}
