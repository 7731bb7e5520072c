using System.Text;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion;

/// <summary>A folder as artifact store, things dropped into the inbox of the dataset "toys", and builds of them.</summary>
internal sealed class DropSandbox : IDisposable
{
    public const string Dataset = "toys";

    private readonly string root = Directory.CreateTempSubdirectory("dml-ingestion-").FullName;

    public DropSandbox()
    {
        Store = new FolderStore(Path.Combine(root, "store"));
        Options = new IngestionOptions { Threads = 2, TemporaryFolder = Path.Combine(root, "temporary") };
    }

    public FolderStore Store { get; }

    public IngestionOptions Options { get; }

    public string Root => root;

    public void Put(string path, byte[] bytes) =>
        Store.Put($"inbox/{Dataset}/{path}", new MemoryStream(bytes), CancellationToken.None).GetAwaiter().GetResult();

    public void Put(string path, string text) => Put(path, Encoding.UTF8.GetBytes(text));

    public void PutClasses(int classes, int imagesEach, string prefix = "class", int firstSeed = 0)
    {
        foreach (var (path, bytes) in TestImages.Classes(classes, imagesEach, prefix, firstSeed)) Put(path, bytes);
    }

    public async Task<Drop> Drop(string id = "drop-1")
    {
        var objects = new List<StoredObject>();
        await foreach (var stored in Store.List($"inbox/{Dataset}/", CancellationToken.None)) objects.Add(stored);
        return new Drop(id, Dataset, objects.ToAsyncEnumerable());
    }

    public async Task ClearInbox()
    {
        await foreach (var stored in (await Drop()).Objects) await Store.Delete(stored.Key, CancellationToken.None);
    }

    public async Task<DatasetBuildResult> Build(DatasetManifest? parent = null, string id = "drop-1", IArtifactStore? store = null) =>
        await DatasetBuilder.Build(store ?? Store, await Drop(id), parent, (parent?.Version ?? 0) + 1, Options, null, CancellationToken.None);

    public async Task<DatasetBuildResult.Built> BuildWell(DatasetManifest? parent = null, string id = "drop-1")
    {
        var result = await Build(parent, id);
        return result.ShouldBeOfType<DatasetBuildResult.Built>((result as DatasetBuildResult.Rejected)?.Reason);
    }

    public async Task<DatasetBuildResult.Rejected> BuildBadly(DatasetManifest? parent = null, string id = "drop-1") =>
        (await Build(parent, id)).ShouldBeOfType<DatasetBuildResult.Rejected>();

    public async Task<List<string>> Keys(string prefix)
    {
        var keys = new List<string>();
        await foreach (var stored in Store.List(prefix, CancellationToken.None)) keys.Add(stored.Key);
        return keys;
    }

    /// <summary>Keys and contents of everything below a prefix.</summary>
    public async Task<Dictionary<string, string>> Contents(string prefix)
    {
        var contents = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in await Keys(prefix))
            contents[key] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(await Store.LocalFile(key, CancellationToken.None))));
        return contents;
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}
