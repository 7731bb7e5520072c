using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class FolderStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FolderStore store;

    public FolderStoreTests() => store = folder.OpenStore();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task An_object_reads_back_with_its_length_and_hash()
    {
        var bytes = RandomNumberGenerator.GetBytes(300_000);

        var stored = await store.Put("runs/a/weights.bin", new MemoryStream(bytes), default);

        stored.ShouldBe(new("runs/a/weights.bin", Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length));
        (await Bytes("runs/a/weights.bin")).ShouldBe(bytes);
        (await store.Find("runs/a/weights.bin", default))!.Bytes.ShouldBe(bytes.Length);
        (await File.ReadAllBytesAsync(await store.LocalFile("runs/a/weights.bin", default))).ShouldBe(bytes);
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        await Put("empty", "");

        (await store.Find("empty", default))!.Bytes.ShouldBe(0);
    }

    [Fact]
    public async Task Other_content_of_the_same_length_has_another_etag_however_soon_it_comes()
    {
        var etags = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 50; i++)
        {
            await Put("a", $"{i:00}");
            etags.Add((await store.Find("a", default))!.ETag);
        }

        etags.Count.ShouldBe(50);
    }

    [Fact]
    public async Task A_write_that_fails_half_way_leaves_what_was_there()
    {
        await Put("a/b", "old");

        await Should.ThrowAsync<IOException>(store.Put("a/b", new BreakingStream(200_000), default));
        await Should.ThrowAsync<IOException>(store.Put("a/c", new BreakingStream(200_000), default));

        (await Text("a/b")).ShouldBe("old");
        (await Keys("")).ShouldBe(["a/b"]);
        Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Readers_see_the_old_object_or_the_new_one_and_never_a_mixture()
    {
        var contents = new[] { new string('a', 400_000), new string('b', 400_000) };
        await Put("x", contents[0]);

        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 20; i++) await Put("x", contents[i % 2]);
        });
        while (!writing.IsCompleted)
        {
            var text = await Text("x");
            contents.ShouldContain(text);
        }
        await writing;
    }

    [Fact]
    public async Task Of_sixteen_racing_writers_one_wins_and_its_content_stays()
    {
        using var start = new Barrier(16);
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Factory.StartNew(async () =>
        {
            start.SignalAndWait();
            return (writer, await store.PutIfAbsent("race", Content($"writer {writer}"), default));
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        var (winner, _) = results.Where(result => result.Item2 is not null).ShouldHaveSingleItem();
        (await Text("race")).ShouldBe($"writer {winner}");
        (await store.PutIfAbsent("race", Content("late"), default)).ShouldBeNull();
        Directory.GetFiles(store.Root).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("a/..")]
    [InlineData("./a")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("a/.partial-0")]
    [InlineData(".partial-a/b")]
    public async Task What_is_no_key_is_refused_everywhere(string key)
    {
        await Should.ThrowAsync<ArgumentException>(async () => await store.Put(key, Content("x"), default));
        await Should.ThrowAsync<ArgumentException>(async () => await store.PutIfAbsent(key, Content("x"), default));
        await Should.ThrowAsync<ArgumentException>(async () => await store.OpenRead(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await store.Find(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await store.LocalFile(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await store.Delete(key, default));

        Directory.GetFileSystemEntries(folder.Path).ShouldBe([store.Root]);
        Directory.GetFileSystemEntries(store.Root).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("inbox/birds/kea (1)/été & 'ō' #1%2f.jpg")]
    [InlineData("inbox/birds/..hidden")]
    [InlineData("inbox/birds/.hidden")]
    [InlineData("inbox/birds/back\\slash")]
    [InlineData("inbox/birds/line\nbreak")]
    [InlineData("inbox/鳥/キーア.png")]
    [InlineData("*?")]
    public async Task Odd_names_are_good_keys(string key)
    {
        await Put(key, "x");

        (await Keys("")).ShouldBe([key]);
        (await Text(key)).ShouldBe("x");
        await store.Delete(key, default);
        (await Keys("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_listing_is_in_ordinal_order_and_filtered_by_prefix()
    {
        foreach (var key in new[] { "b/1", "a/2", "a-b", "a/1/x", "B", "a/10", "ab/1" }) await Put(key, key);

        (await Keys("")).ShouldBe(["B", "a-b", "a/1/x", "a/10", "a/2", "ab/1", "b/1"]);
        (await Keys("a/")).ShouldBe(["a/1/x", "a/10", "a/2"]);
        (await Keys("a")).ShouldBe(["a-b", "a/1/x", "a/10", "a/2", "ab/1"]);
        (await Keys("a/1")).ShouldBe(["a/1/x", "a/10"]);
        (await Keys("none/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_upload_under_way_is_invisible()
    {
        var content = new PausedStream();
        var put = store.Put("a/b", content, default);
        await content.Reached;

        Directory.GetFiles(Path.Combine(store.Root, "a")).ShouldHaveSingleItem();
        (await Keys("")).ShouldBeEmpty();
        (await store.Find("a/b", default)).ShouldBeNull();

        content.GoOn();
        await put;
        (await Keys("")).ShouldBe(["a/b"]);
    }

    [Fact]
    public async Task Only_abandoned_uploads_below_the_prefix_are_cleared_away()
    {
        await Put("runs/a/kept", "x");
        var (old, young, elsewhere) = (Partial("runs/a", hours: 2), Partial("runs/a", hours: 0), Partial("inbox", hours: 2));

        store.DeleteAbandoned("runs", TimeSpan.FromHours(1));
        store.DeleteAbandoned("nothing-there", TimeSpan.Zero);

        (File.Exists(old), File.Exists(young), File.Exists(elsewhere)).ShouldBe((false, true, true));
        (await Text("runs/a/kept")).ShouldBe("x");
    }

    [Fact]
    public async Task Deleting_takes_empty_folders_along_and_repeats_without_error()
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

    [Theory]
    [InlineData("nothing")]
    [InlineData("no/thing")]
    [InlineData("a")]
    [InlineData("a/b/c")]
    public async Task A_missing_object_is_named_without_the_path_of_the_store(string key)
    {
        await Put("a/b", "x");

        var error = await Should.ThrowAsync<FileNotFoundException>(async () => await store.OpenRead(key, default));
        error.Message.ShouldBe($"There is no object '{key}' in the store.");
        (await store.Find(key, default)).ShouldBeNull();
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

    private static MemoryStream Content(string text) => new(Encoding.UTF8.GetBytes(text));

    private Task Put(string key, string text) => store.Put(key, Content(text), default);

    private async Task<byte[]> Bytes(string key)
    {
        await using var stream = await store.OpenRead(key, default);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private async Task<string> Text(string key) => Encoding.UTF8.GetString(await Bytes(key));

    private async Task<List<string>> Keys(string prefix)
    {
        var keys = new List<string>();
        await foreach (var item in store.List(prefix, default)) keys.Add(item.Key);
        return keys;
    }

    private string Partial(string below, int hours)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(store.Root, below)).FullName, FolderStore.PartialPrefix + Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, "half");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-hours));
        return path;
    }
}
