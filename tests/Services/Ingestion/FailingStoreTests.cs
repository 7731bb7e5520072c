using DmlPipeline.Contracts;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion;

/// <summary>What fails around an archive is no fault of the archive: nobody has to drop it again.</summary>
public sealed class FailingStoreTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    public static TheoryData<Exception> Failures =>
    [
        new ArgumentOutOfRangeException("value", "Specified file length was too large for the file system."), // .NET's word for EFBIG
        new IOException("No space left on device", hresult: 28),
        new InvalidDataException("a header of the answer is no number"),
        new EndOfStreamException("the connection was cut"),
        new FileNotFoundException("The local copy is gone."),
    ];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_zip_that_cannot_be_fetched_is_not_taken_for_a_broken_one(Exception failure)
    {
        sandbox.Put("drop.zip", TestArchives.Zip([.. TestImages.Classes(6, 3)]));

        var thrown = await Should.ThrowAsync<IOException>(() => sandbox.Build(store: new FailingStore(sandbox.Store, failure)));

        NoRoom.IsMeantBy(thrown).ShouldBe(NoRoom.IsMeantBy(failure));
        (await sandbox.BuildWell()).Manifest.Counts.Images.ShouldBe(18);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_tar_that_cannot_be_opened_is_not_taken_for_a_broken_one(Exception failure)
    {
        sandbox.Put("drop.tar.gz", TestArchives.Gzip(TestArchives.Tar([.. TestImages.Classes(6, 3)])));

        await Should.ThrowAsync<IOException>(() => sandbox.Build(store: new FailingStore(sandbox.Store, failure)));

        (await sandbox.BuildWell()).Manifest.Counts.Images.ShouldBe(18);
    }

    [Fact]
    public async Task An_archive_that_is_gone_from_the_store_is_told_so()
    {
        sandbox.PutClasses(6, 3);
        sandbox.Put("drop.zip", TestArchives.Zip([.. TestImages.Classes(2, 3, "zipped", 20_000)]));
        var drop = await sandbox.Drop();
        await sandbox.Store.Delete($"inbox/{DropSandbox.Dataset}/drop.zip", CancellationToken.None);

        var built = await DatasetBuilder.Build(sandbox.Store, drop, null, 1, sandbox.Options, null, CancellationToken.None);

        built.ShouldBeOfType<DatasetBuildResult.Built>().Quarantined.ShouldHaveSingleItem().Reason.ShouldContain("vanished");
    }

    /// <summary>Holds everything and cannot give out archives.</summary>
    private sealed class FailingStore(IArtifactStore inner, Exception failure) : IArtifactStore
    {
        public IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancel) => inner.List(prefix, cancel);

        public Task<StoredObject?> Find(string key, CancellationToken cancel) => inner.Find(key, cancel);

        public Task<Stream> OpenRead(string key, CancellationToken cancel) =>
            key.Contains("drop.", StringComparison.Ordinal) ? Task.FromException<Stream>(failure) : inner.OpenRead(key, cancel);

        public Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel) => inner.Put(key, content, cancel);

        public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel) => inner.PutIfAbsent(key, content, cancel);

        public Task Delete(string key, CancellationToken cancel) => inner.Delete(key, cancel);

        public Task<string> LocalFile(string key, CancellationToken cancel) => Task.FromException<string>(failure);
    }
}
