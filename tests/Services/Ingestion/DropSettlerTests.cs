using System.Runtime.CompilerServices;
using System.Text;
using DmlPipeline.Contracts;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class DropSettlerTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private Database database = null!;
    private FolderStore store = null!;

    public async Task InitializeAsync() => (database, store) = (await folder.OpenDatabase(), folder.OpenStore());

    public Task DisposeAsync()
    {
        database.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task With_the_mark_a_drop_takes_all_that_lies_there_also_what_no_message_has_told_of()
    {
        await Put("inbox/birds/robin/1.jpg");
        await Put("inbox/birds/robin/2.jpg");
        await Remember(await Put("inbox/birds/_READY"));

        await using var settler = await Start(settleSeconds: 3600);

        (await Settled("birds")).Objects.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_still_growing_unnoticed_does_not_settle_in_parts()
    {
        await Remember(await Put("inbox/birds/robin/1.jpg"));
        await Put("inbox/birds/robin/2.jpg");

        await using var settler = await Start(settleSeconds: 0.1);

        (await Settled("birds")).Objects.ShouldBe(2);
    }

    [Fact]
    public async Task An_inbox_does_not_settle_while_a_copy_holds_it()
    {
        var hold = await InboxHold.Take(database, "birds", default);
        await Remember(await Put("inbox/birds/robin/1.jpg"));
        await Remember(await Put("inbox/birds/_READY"));
        await using var settler = await Start(settleSeconds: 0.1);

        // When another dataset has settled, the settler has passed by this one as well.
        await Remember(await Put("inbox/letters/a/1.png"));
        await Settled("letters");
        (await database.Drops("birds", default)).ShouldBeEmpty();

        await Remember(await Put("inbox/birds/robin/2.jpg"));
        await hold.DisposeAsync();
        (await Settled("birds")).Objects.ShouldBe(3);
    }

    [Fact]
    public async Task A_hold_outlives_a_database_that_fails_for_a_moment()
    {
        await using var hold = await InboxHold.Take(database, "birds", TimeSpan.FromMilliseconds(100), default);
        await Sql("alter table inbox_holds rename to away");
        await Task.Delay(200);
        await Sql("alter table away rename to inbox_holds");

        var before = await Until();
        await Eventually.Holds(async () => await Until() > before, "the hold was renewed");

        Task Sql(string sql) => database.Write(transaction => transaction.Execute(sql), default);
        Task<long> Until() => database.QueryOne<long>("select coalesce(max(held_until), 0) from inbox_holds", null, default);
    }

    [Fact]
    public async Task A_hold_whose_holder_died_ends_by_itself()
    {
        await database.Write(transaction => transaction.Execute("insert into inbox_holds values ('dead', 'birds', @now)", new { now = Database.Now - 1 }), default);
        await Remember(await Put("inbox/birds/robin/1.jpg"));

        await using var settler = await Start(settleSeconds: 0.1);

        (await Settled("birds")).Objects.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_replaced_while_a_drop_settles_is_in_the_drop_as_it_is_then()
    {
        await Remember(await Put("inbox/birds/robin/1.jpg"));
        var replaced = new ListedBefore(store, async () => await Remember(await Put("inbox/birds/robin/1.jpg", "longer content")));

        await using var settler = await Start(settleSeconds: 0.1, replaced);

        var drop = await Settled("birds");
        drop.Bytes.ShouldBe("longer content".Length);
        (await database.QueryOne<string>("select drop_id from inbox_objects where bytes = @Bytes", new { drop.Bytes }, default)).ShouldBe(drop.Id);
    }

    [Fact]
    public async Task Datasets_settle_side_by_side()
    {
        string[] datasets = ["birds", "letters", "toys"];
        foreach (var dataset in datasets) await Remember(await Put($"inbox/{dataset}/_READY"));
        // Nobody's listing ends before everybody's has begun.
        using var listed = new CountdownEvent(datasets.Length);
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await using var settler = await Start(settleSeconds: 3600, new ListedBefore(store, async () =>
        {
            if (!listed.IsSet && listed.Signal()) together.SetResult();
            await together.Task;
        }, always: true));

        foreach (var dataset in datasets) (await Settled(dataset)).Objects.ShouldBe(1);
    }

    private async Task<StoredObject> Put(string key, string content = "content")
    {
        await store.Put(key, new MemoryStream(Encoding.UTF8.GetBytes(content)), default);
        return (await store.Find(key, default))!;
    }

    private Task Remember(StoredObject item) =>
        database.Write(transaction => transaction.RememberObjects(item.Key.Split('/')[1], [(item.Key, item.ETag, item.Bytes)]), default);

    private async Task<RunningSettler> Start(double settleSeconds, IArtifactStore? over = null)
    {
        var settler = new DropSettler(database, over ?? store, Options.Create(new InboxOptions { SettleSeconds = settleSeconds }),
            Options.Create(new IngestionOptions()), NullLogger<DropSettler>.Instance);
        await settler.StartAsync(default);
        return new RunningSettler(settler);
    }

    private async Task<DropRow> Settled(string dataset)
    {
        await Eventually.Holds(async () => (await database.Drops(dataset, default)).Count > 0, $"{dataset} settled");
        return (await database.Drops(dataset, default)).ShouldHaveSingleItem();
    }

    /// <summary>Something happens between its first listing, or every one, and whatever is done with that.</summary>
    private sealed class ListedBefore(IArtifactStore store, Func<Task> happens, bool always = false) : IArtifactStore
    {
        private bool happened;

        public async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken cancel)
        {
            await foreach (var item in store.List(prefix, cancel)) yield return item;
            if (happened && !always) yield break;
            happened = true;
            await happens();
        }

        public Task<StoredObject?> Find(string key, CancellationToken cancel) => store.Find(key, cancel);

        public Task<Stream> OpenRead(string key, CancellationToken cancel) => store.OpenRead(key, cancel);

        public Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel) => store.Put(key, content, cancel);

        public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel) => store.PutIfAbsent(key, content, cancel);

        public Task Delete(string key, CancellationToken cancel) => store.Delete(key, cancel);

        public Task<string> LocalFile(string key, CancellationToken cancel) => store.LocalFile(key, cancel);
    }

    private sealed class RunningSettler(DropSettler settler) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await settler.StopAsync(default);
            settler.Dispose();
        }
    }
}
