using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class FolderStoreTests : StoreContractTests
{
    private readonly TemporaryFolder folder = new();
    private readonly FolderStore store;

    public FolderStoreTests() => store = folder.OpenStore();

    protected override int LargeObject => 7_000_000;

    public override Task DisposeAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    protected override Task<IArtifactStore> OpenEmptyStore() => Task.FromResult<IArtifactStore>(store);

    [Fact]
    public async Task Writes_that_fail_leave_no_file()
    {
        await Should.ThrowAsync<IOException>(store.Put("a/c", new BreakingStream(200_000), default));
        await Should.ThrowAsync<IOException>(store.PutIfAbsent("a/d", new BreakingStream(200_000), default));

        Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_writer_that_comes_too_late_leaves_no_file()
    {
        await Put("a", "first");

        (await store.PutIfAbsent("a", Content("late"), default)).ShouldBeNull();

        Directory.GetFiles(store.Root).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("a/")]
    public async Task What_is_no_key_touches_nothing(string key)
    {
        await Should.ThrowAsync<ArgumentException>(async () => await store.Put(key, Content("x"), default));

        Directory.GetFileSystemEntries(folder.Path).ShouldBe([store.Root]);
        Directory.GetFileSystemEntries(store.Root).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_upload_under_way_lies_beside_its_object()
    {
        var content = new PausedStream();
        var put = store.Put("a/b", content, default);
        await content.Reached;

        Path.GetFileName(Directory.GetFiles(Path.Combine(store.Root, "a")).ShouldHaveSingleItem()).ShouldStartWith(FolderStore.PartialPrefix);

        content.GoOn();
        await put;
    }

    [Fact]
    public async Task Only_uploads_below_the_prefix_that_nobody_writes_any_more_are_cleared_away()
    {
        await Put("runs/a/kept", "x");
        var content = new PausedStream();
        var put = store.Put("runs/a/slow", content, default);
        await content.Reached;
        var (abandoned, elsewhere) = (Partial("runs/a"), Partial("inbox"));

        store.DeleteAbandoned("runs");
        store.DeleteAbandoned("nothing-there");

        (File.Exists(abandoned), File.Exists(elsewhere)).ShouldBe((false, true));
        content.GoOn();
        await put;
        (await store.Find("runs/a/slow", default)).ShouldNotBeNull();
        (await Text("runs/a/kept")).ShouldBe("x");
    }

    [Fact]
    public async Task What_has_just_been_written_can_be_read_by_whoever_lets_nobody_write()
    {
        using var ended = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
                if (await store.Find("a/b", default) is not null) File.ReadAllBytes(await store.LocalFile("a/b", default)).ShouldBe([7]);
        });

        for (var i = 0; i < 200; i++)
            using (var content = new MemoryStream([7])) await store.Put("a/b", content, default);

        await ended.CancelAsync();
        await reading;
    }

    [Fact]
    public async Task Deleting_takes_empty_folders_along()
    {
        await Put("a/b/c/1", "x");
        await Put("a/2", "x");

        await store.Delete("a/b/c/1", default);
        await store.Delete("a/b/c/1", default);
        await store.Delete("a", default);

        Directory.GetFileSystemEntries(store.Root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(store.Root, path))
            .ShouldBe(["a", "a/2"], ignoreOrder: true);
        await store.Delete("a/2", default);
        Directory.Exists(store.Root).ShouldBeTrue();
        Directory.GetFileSystemEntries(store.Root).ShouldBeEmpty();
    }

    [Fact]
    public async Task Writing_into_a_folder_that_others_empty_succeeds()
    {
        using var written = new CancellationTokenSource();
        var deleting = Task.Run(async () =>
        {
            // Deleting what is not there takes an empty folder along too, so this does little else.
            while (!written.IsCancellationRequested) await store.Delete("busy/folder/other", default);
        });
        for (var i = 0; i < 300; i++)
        {
            await Put("busy/folder/mine", "x");
            (await Text("busy/folder/mine")).ShouldBe("x");
            await store.Delete("busy/folder/mine", default);
        }
        await written.CancelAsync();
        await deleting;

        Directory.GetFileSystemEntries(store.Root).ShouldBeEmpty();
    }

    [Fact]
    public async Task Symbolic_links_lead_nowhere()
    {
        var outside = Directory.CreateDirectory(Path.Combine(folder.Path, "outside")).FullName;
        await File.WriteAllTextAsync(Path.Combine(outside, "secret"), "secret");
        await Put("inbox/real", "x");
        Directory.CreateSymbolicLink(Path.Combine(store.Root, "inbox", "folder"), outside);
        Directory.CreateSymbolicLink(Path.Combine(store.Root, "inbox", "circle"), store.Root);
        File.CreateSymbolicLink(Path.Combine(store.Root, "inbox", "file"), Path.Combine(outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(store.Root, "inbox", "dangling"), Path.Combine(outside, "nothing"));

        (await Keys("")).ShouldBe(["inbox/real"]);
        (await Keys("inbox/folder/")).ShouldBeEmpty();
        foreach (var key in new[] { "inbox/file", "inbox/folder/secret", "inbox/circle/inbox/real", "inbox/dangling" })
        {
            (await store.Find(key, default)).ShouldBeNull();
            await Should.ThrowAsync<FileNotFoundException>(async () => await store.OpenRead(key, default));
            await Should.ThrowAsync<FileNotFoundException>(async () => await store.LocalFile(key, default));
        }
        await Should.ThrowAsync<IOException>(async () => await store.Put("inbox/folder/new", Content("x"), default));
        await store.Delete("inbox/folder/secret", default);
        Directory.GetFiles(outside).ShouldBe([Path.Combine(outside, "secret")]);
    }

    [Fact]
    public async Task A_reader_keeps_what_it_opened_when_the_object_is_replaced_or_deleted()
    {
        await Put("x", "old");
        await using var reading = await store.OpenRead("x", default);
        await Put("x", "new!");
        await store.Delete("x", default);

        using var text = new StreamReader(reading);
        (await text.ReadToEndAsync()).ShouldBe("old");
    }

    private string Partial(string below)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(store.Root, below)).FullName, FolderStore.PartialPrefix + Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, "half");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(-1));
        return path;
    }
}
