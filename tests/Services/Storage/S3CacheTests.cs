using System.Security.Cryptography;
using DmlPipeline.Storage.S3;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Local copies of objects in a bucket.</summary>
public sealed class S3CacheTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private UnreliableNetwork network = null!;
    private S3Settings settings = null!;
    private S3Store store = null!;

    public async Task InitializeAsync()
    {
        network = new UnreliableNetwork((await S3Samples.NewBucket(folder)).Endpoint);
        settings = await S3Samples.NewBucket(folder, network.Endpoint);
        store = await S3Store.Open(settings, createBucket: true, default);
    }

    public async Task DisposeAsync()
    {
        store.Dispose();
        await network.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Many_that_want_one_file_at_once_download_it_once()
    {
        var bytes = await Put("a", 3_000_000);
        using var other = await S3Store.Open(settings, createBucket: false, default);
        var (_, before) = network.Passed;

        var files = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? store : other).LocalFile("a", default)));

        files.Distinct().ShouldHaveSingleItem();
        (await File.ReadAllBytesAsync(files[0])).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
        (network.Passed.Received - before).ShouldBeInRange(3_000_000, 3_100_000);
    }

    [Fact]
    public async Task A_download_that_was_broken_off_goes_on_where_it_ended()
    {
        var bytes = await Put("a", 9_000_000);
        network.SilentAfter = 6_000_000;
        using (var cancel = new CancellationTokenSource())
        {
            var download = store.LocalFile("a", cancel.Token);
            await Eventually.Holds(() => network.SilentAfter == long.MaxValue, "the download falls silent");
            await cancel.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(download);
        }
        var half = Directory.GetFiles(settings.CacheFolder).ShouldHaveSingleItem();
        var there = new FileInfo(half).Length;
        there.ShouldBeInRange(1, 6_000_000);
        var (_, before) = network.Passed;

        var file = await store.LocalFile("a", default);

        (await File.ReadAllBytesAsync(file)).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
        Directory.GetFiles(settings.CacheFolder).ShouldBe([file]);
        (network.Passed.Received - before).ShouldBeInRange(9_000_000 - there, 9_000_000 - there + 100_000);
    }

    [Fact]
    public async Task A_copy_that_was_broken_off_and_then_damaged_is_made_anew()
    {
        var bytes = await Put("a", 400_000);
        var file = await store.LocalFile("a", default);
        File.Delete(file);
        await File.WriteAllBytesAsync(file + ".partial", new byte[1000]);

        await Should.ThrowAsync<StoreException>(store.LocalFile("a", default));

        (await File.ReadAllBytesAsync(await store.LocalFile("a", default))).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public async Task A_copy_that_is_too_short_is_not_taken_for_the_whole()
    {
        var bytes = RandomNumberGenerator.GetBytes(50_000);
        await store.Put("a", new MemoryStream(bytes), default);
        var file = await store.LocalFile("a", default);
        await File.WriteAllBytesAsync(file, bytes[..4096]);

        (await File.ReadAllBytesAsync(await store.LocalFile("a", default))).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public async Task What_was_used_longest_ago_makes_room_for_what_is_new()
    {
        using var small = await S3Store.Open(settings with { CacheBytes = 2_500 }, createBucket: false, default);
        var files = new List<string>();
        foreach (var key in new[] { "a", "b", "c" })
        {
            await Put(key, 1_000);
            if (files.Count == 2) File.SetLastWriteTimeUtc(files[0], DateTime.UtcNow.AddHours(-1));
            if (files.Count == 2) File.SetLastWriteTimeUtc(files[1], DateTime.UtcNow.AddHours(-2));
            files.Add(await small.LocalFile(key, default));
        }

        files.Select(File.Exists).ShouldBe([true, false, true]);
        (await small.LocalFile("b", default)).ShouldBe(files[1]);
        files.Select(File.Exists).ShouldBe([false, true, true]);
    }

    private async Task<byte[]> Put(string key, int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        await store.Put(key, new MemoryStream(bytes), default);
        return bytes;
    }
}
