using System.Collections.Concurrent;
using DmlPipeline.Contracts;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class SideBySideTests : IDisposable
{
    private const int Datasets = 3;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task One_process_builds_drops_of_different_datasets_side_by_side()
    {
        var store = new MeetingPlace(folder.OpenStore(), Datasets);
        for (var i = 0; i < Datasets; i++)
            foreach (var (path, bytes) in TestImages.Classes(6, 2).Append((DropSettler.Ready, [])))
                await store.Put($"inbox/toys{i}/{path}", new MemoryStream(bytes), default);

        await using var host = await TestHost.Start(folder, IngestionService.AddConsumers, services =>
        {
            services.AddSingleton<IArtifactStore>(store).AddIngestion();
            services.Configure<IngestionOptions>(ingestion => (ingestion.TemporaryFolder, ingestion.DropsAtOnce) = (folder.Path, Datasets));
        });

        await Eventually.Holds(async () => (await host.Database.DatasetVersions(null, default)).Count == Datasets, "every dataset has a version");
    }

    /// <summary>No drop is read before as many datasets are being read.</summary>
    private sealed class MeetingPlace(FolderStore inner, int expected) : IArtifactStore
    {
        private readonly ConcurrentDictionary<string, bool> present = new(StringComparer.Ordinal);
        private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<Stream> OpenRead(string key, CancellationToken cancel)
        {
            if (key.StartsWith(DroppedObjects.Inbox, StringComparison.Ordinal))
            {
                present[key.Split('/')[1]] = true;
                if (present.Count == expected) complete.TrySetResult();
                await complete.Task.WaitAsync(cancel);
            }
            return await inner.OpenRead(key, cancel);
        }

        public IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancel) => inner.List(prefix, cancel);

        public Task<StoredObject?> Find(string key, CancellationToken cancel) => inner.Find(key, cancel);

        public Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel) => inner.Put(key, content, cancel);

        public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel) => inner.PutIfAbsent(key, content, cancel);

        public Task Delete(string key, CancellationToken cancel) => inner.Delete(key, cancel);

        public Task<string> LocalFile(string key, CancellationToken cancel) => inner.LocalFile(key, cancel);
    }
}
