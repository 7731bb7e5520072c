using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>What every artifact store does, whatever lies behind it.</summary>
public abstract partial class StoreContractTests : IAsyncLifetime
{
    protected IArtifactStore Store { get; private set; } = null!;

    /// <summary>A length at which the store writes in a way of its own: parts, for S3.</summary>
    protected abstract int LargeObject { get; }

    public async Task InitializeAsync() => Store = await OpenEmptyStore();

    public abstract Task DisposeAsync();

    protected abstract Task<IArtifactStore> OpenEmptyStore();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_reads_back_with_its_length_and_hash(bool large)
    {
        var bytes = RandomNumberGenerator.GetBytes(large ? LargeObject : 300_000);

        var stored = await Store.Put("runs/a/weights.bin", new MemoryStream(bytes), default);

        stored.ShouldBe(new("runs/a/weights.bin", Hash(bytes), bytes.Length));
        Hash(await Bytes("runs/a/weights.bin")).ShouldBe(stored.Sha256);
        (await Store.Find("runs/a/weights.bin", default))!.Bytes.ShouldBe(bytes.Length);
        Hash(await File.ReadAllBytesAsync(await Store.LocalFile("runs/a/weights.bin", default))).ShouldBe(stored.Sha256);
    }

    [Fact]
    public async Task A_stream_whose_length_nobody_knows_is_stored_whole()
    {
        var bytes = RandomNumberGenerator.GetBytes(LargeObject);

        var stored = await Store.Put("a", new OneWayStream(bytes), default);

        (stored.Bytes, stored.Sha256).ShouldBe((bytes.Length, Hash(bytes)));
        Hash(await Bytes("a")).ShouldBe(stored.Sha256);
    }

    [Fact]
    public async Task Any_part_of_an_object_can_be_read_by_itself()
    {
        var bytes = RandomNumberGenerator.GetBytes(LargeObject);
        await Store.Put("a", new MemoryStream(bytes), default);

        await using var stream = await Store.OpenRead("a", default);
        stream.Length.ShouldBe(bytes.Length);
        foreach (var (offset, length) in new[] { (bytes.Length - 10, 10), (0, 5), (4_500_000, 100_000), (17, 6_000_000), (17, 1) })
        {
            stream.Seek(offset, SeekOrigin.Begin);
            var part = new byte[length];
            await stream.ReadExactlyAsync(part);
            Hash(part).ShouldBe(Hash(bytes.AsSpan(offset, length)));
            stream.Position.ShouldBe(offset + length);
        }
        stream.Seek(0, SeekOrigin.End);
        (await stream.ReadAsync(new byte[1])).ShouldBe(0);
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        await Put("empty", "");

        (await Store.Find("empty", default))!.Bytes.ShouldBe(0);
        (await Text("empty")).ShouldBe("");
    }

    [Fact]
    public async Task A_listing_describes_an_object_as_finding_it_does()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-5);
        await Put("a/b", "content");

        var listed = await Store.List("a/", default).SingleAsync();

        listed.ShouldBe(await Store.Find("a/b", default));
        (listed.Key, listed.Bytes).ShouldBe(("a/b", 7));
        listed.LastModified.ShouldBeInRange(before, DateTimeOffset.UtcNow.AddSeconds(5));
    }

    [Fact]
    public async Task Other_content_of_the_same_length_has_another_etag_however_soon_it_comes()
    {
        var etags = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 20; i++)
        {
            await Put("a", $"{i:00}");
            etags.Add((await Store.Find("a", default))!.ETag);
        }

        etags.Count.ShouldBe(20);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_that_fails_half_way_leaves_what_was_there(bool large)
    {
        var bytes = large ? LargeObject : 200_000;
        await Put("a/b", "old");

        await Should.ThrowAsync<IOException>(Store.Put("a/b", new BreakingStream(bytes), default));
        await Should.ThrowAsync<IOException>(Store.Put("a/c", new BreakingStream(bytes), default));
        await Should.ThrowAsync<IOException>(Store.PutIfAbsent("a/d", new BreakingStream(bytes), default));

        (await Text("a/b")).ShouldBe("old");
        (await Keys("")).ShouldBe(["a/b"]);
    }

    [Fact]
    public async Task A_write_that_is_cancelled_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        var content = new PausedStream();
        var put = Store.Put("a", content, cancel.Token);
        await content.Reached;
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(put);
        (await Keys("")).ShouldBeEmpty();
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
            return (writer, await Store.PutIfAbsent("race", Content($"writer {writer}"), default));
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        var (winner, _) = results.Where(result => result.Item2 is not null).ShouldHaveSingleItem();
        (await Text("race")).ShouldBe($"writer {winner}");
        (await Store.PutIfAbsent("race", Content("late"), default)).ShouldBeNull();
        (await Keys("")).ShouldBe(["race"]);
    }

    [Fact]
    public async Task Of_racing_writers_of_large_objects_one_wins_and_its_content_stays()
    {
        var contents = Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetBytes(LargeObject)).ToArray();

        var results = await Task.WhenAll(contents.Select(content => Store.PutIfAbsent("race", new MemoryStream(content), default)));

        var winner = results.Where(result => result is not null).ShouldHaveSingleItem()!;
        Hash(await Bytes("race")).ShouldBe(winner.Sha256);
        (await Store.PutIfAbsent("race", new MemoryStream(contents[0]), default)).ShouldBeNull();
        (await Keys("")).ShouldBe(["race"]);
    }

    [Fact]
    public async Task An_upload_under_way_is_invisible()
    {
        var content = new PausedStream();
        var put = Store.Put("a/b", content, default);
        await content.Reached;

        (await Keys("")).ShouldBeEmpty();
        (await Store.Find("a/b", default)).ShouldBeNull();

        content.GoOn();
        await put;
        (await Keys("")).ShouldBe(["a/b"]);
    }

    [Fact]
    public async Task Deleting_repeats_without_error_and_takes_nothing_else_along()
    {
        await Put("a/b/c/1", "x");
        await Put("a/2", "x");

        await Store.Delete("a/b/c/1", default);
        await Store.Delete("a/b/c/1", default);
        await Store.Delete("a", default);

        (await Keys("")).ShouldBe(["a/2"]);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("no/thing")]
    [InlineData("a")]
    [InlineData("a/b/c")]
    public async Task A_missing_object_is_named_without_the_place_of_the_store(string key)
    {
        await Put("a/b", "x");

        foreach (var read in new Func<Task>[] { () => Store.OpenRead(key, default), () => Store.LocalFile(key, default) })
            (await Should.ThrowAsync<FileNotFoundException>(read)).Message.ShouldBe($"There is no object '{key}' in the store.");
        (await Store.Find(key, default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_local_file_has_the_content_of_the_object_also_after_it_changed()
    {
        await Put("a", "old");
        (await File.ReadAllTextAsync(await Store.LocalFile("a", default))).ShouldBe("old");

        await Put("a", "new content");

        (await File.ReadAllTextAsync(await Store.LocalFile("a", default))).ShouldBe("new content");
    }

    // Large contents are compared by this: element by element they take seconds.
    protected static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    protected static MemoryStream Content(string text) => new(Encoding.UTF8.GetBytes(text));

    protected Task Put(string key, string text) => Store.Put(key, Content(text), default);

    protected async Task<byte[]> Bytes(string key)
    {
        await using var stream = await Store.OpenRead(key, default);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    protected async Task<string> Text(string key) => Encoding.UTF8.GetString(await Bytes(key));

    protected async Task<List<string>> Keys(string prefix) => await Store.List(prefix, default).Select(item => item.Key).ToListAsync();
}
