using System.Security.Cryptography;
using System.Text;
using Amazon.S3.Model;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>The S3 store over a network that fails, and beside programs that use the same bucket.</summary>
public sealed class S3StoreFaultTests : IAsyncLifetime
{
    private const int Part = 5 << 20;

    private readonly TemporaryFolder folder = new();
    private UnreliableNetwork network = null!;
    private S3Settings settings = null!;
    private S3Store store = null!;

    public async Task InitializeAsync()
    {
        network = new UnreliableNetwork((await S3Samples.NewBucket(folder)).Endpoint);
        settings = (await S3Samples.NewBucket(folder, network.Endpoint)) with { StallTimeout = TimeSpan.FromSeconds(2), PartsAtOnce = 1 };
        store = await S3Store.Open(settings, createBucket: true, default);
    }

    public async Task DisposeAsync()
    {
        store.Dispose();
        await network.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task An_upload_that_was_broken_off_goes_on_where_it_ended_in_another_process()
    {
        var bytes = RandomNumberGenerator.GetBytes(5 * Part + 1000);
        await Should.ThrowAsync<IOException>(store.Put("a", new BreakingStream(bytes, 4 * Part + 7), default));
        var (before, _) = network.Passed;

        using var other = await S3Store.Open(settings, createBucket: false, default);
        var stored = await other.Put("a", new MemoryStream(bytes), default);

        stored.Sha256.ShouldBe(Hash(bytes));
        // Three parts had arrived; the fourth was on its way.
        (network.Passed.Sent - before).ShouldBeInRange(1, 2 * Part + 100_000);
        Hash(await Bytes("a")).ShouldBe(stored.Sha256);
    }

    [Fact]
    public async Task What_was_broken_off_is_sent_again_where_the_content_differs()
    {
        var bytes = RandomNumberGenerator.GetBytes(2 * Part + 1000);
        await Should.ThrowAsync<IOException>(store.Put("a", new BreakingStream(bytes, 2 * Part + 7), default));

        bytes[17] ^= 1;
        await store.Put("a", new MemoryStream(bytes), default);

        Hash(await Bytes("a")).ShouldBe(Hash(bytes));
    }

    [Fact]
    public async Task Abandoned_uploads_are_ended_and_what_they_hold_is_freed()
    {
        var bytes = RandomNumberGenerator.GetBytes(2 * Part + 1000);
        await Should.ThrowAsync<IOException>(store.Put("runs/a", new BreakingStream(bytes, 2 * Part), default));
        await Should.ThrowAsync<IOException>(store.Put("inbox/a", new BreakingStream(bytes, 2 * Part), default));

        await store.DeleteAbandoned("runs/", TimeSpan.FromHours(1), default);
        (await Unfinished()).ShouldBe(["inbox/a", "runs/a"]);
        await store.DeleteAbandoned("runs/", TimeSpan.FromSeconds(-5), default);
        (await Unfinished()).ShouldBe(["inbox/a"]);
    }

    [Fact]
    public async Task What_cannot_be_taken_up_again_leaves_nothing_on_the_server()
    {
        var bytes = RandomNumberGenerator.GetBytes(2 * Part + 1000);

        await Should.ThrowAsync<IOException>(store.PutIfAbsent("a", new BreakingStream(bytes, 2 * Part), default));

        (await Unfinished()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_download_whose_connections_break_arrives_whole()
    {
        var bytes = RandomNumberGenerator.GetBytes(9_000_000);
        await store.Put("a", new MemoryStream(bytes), default);
        network.CutAfter = 2_000_000;
        var before = network.Connections;

        Hash(await Bytes("a")).ShouldBe(Hash(bytes));

        (network.Connections - before).ShouldBeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public async Task A_download_that_falls_silent_is_taken_up_again()
    {
        var bytes = RandomNumberGenerator.GetBytes(3_000_000);
        await store.Put("a", new MemoryStream(bytes), default);
        network.SilentAfter = 1_000_000;

        Hash(await Bytes("a")).ShouldBe(Hash(bytes));

        network.SilentAfter.ShouldBe(long.MaxValue);
    }

    [Fact]
    public async Task A_server_that_restarts_is_waited_for()
    {
        network.Down = true;
        var put = store.Put("a", new MemoryStream(RandomNumberGenerator.GetBytes(Part + 1000)), default);
        var before = network.Connections;
        await Eventually.Holds(() => network.Connections > before + 3, "the store tries again");
        put.IsCompleted.ShouldBeFalse();

        network.Down = false;

        (await put).Bytes.ShouldBe(Part + 1000);
    }

    [Fact]
    public async Task A_server_that_stays_away_is_named_with_the_setting()
    {
        using var impatient = await S3Store.Open(settings with { GiveUpAfter = TimeSpan.FromMilliseconds(300) }, createBucket: false, default);
        network.Down = true;

        var error = await Should.ThrowAsync<StoreException>(impatient.Find("a", default));

        error.Setting.ShouldBe(S3Settings.Address);
        error.IsOutage.ShouldBeTrue("work that needs the store waits for it");
        error.Message.ShouldContain($"The S3 server at {settings.Endpoint} gave no answer to look at 'a'");
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(2 * Part)]
    public async Task A_writer_whose_answer_was_lost_knows_that_it_won(int length)
    {
        (await store.PutIfAbsent("first", new MemoryStream([1]), default)).ShouldNotBeNull(); // finds out what the server can do
        (await store.PutIfAbsent("second", new MemoryStream(RandomNumberGenerator.GetBytes(2 * Part)), default)).ShouldNotBeNull();
        var content = new AnswerLosingStream(RandomNumberGenerator.GetBytes(length), network);

        (await store.PutIfAbsent("a", content, default)).ShouldNotBeNull().Bytes.ShouldBe(length);

        network.AnswersToLose.ShouldBe(0);
        (await store.Find("a", default))!.Bytes.ShouldBe(length);
    }

    [Fact]
    public async Task Bytes_that_are_not_those_that_were_stored_are_told()
    {
        using (var client = S3Samples.PlainClient(settings))
        {
            var request = new PutObjectRequest { BucketName = settings.Bucket, Key = "a", ContentBody = "damaged" };
            request.Metadata["sha256"] = Hash(Encoding.UTF8.GetBytes("original"));
            await client.PutObjectAsync(request);
        }

        (await Should.ThrowAsync<StoreException>(Bytes("a"))).Message.ShouldContain("'a' is damaged");
        await Should.ThrowAsync<StoreException>(store.LocalFile("a", default));
    }

    [Fact]
    public async Task An_object_that_is_replaced_while_it_is_read_comes_whole_or_not_at_all()
    {
        var old = new byte[20_000_000];
        await store.Put("a", new MemoryStream(old), default);
        await using var reading = await store.OpenRead("a", default);
        (await reading.ReadAsync(new byte[1000])).ShouldBeGreaterThan(0);
        reading.Seek(10_000_000, SeekOrigin.Begin); // what comes from here is asked for anew

        await store.Put("a", new MemoryStream(RandomNumberGenerator.GetBytes(20_000_000)), default);

        (await Should.ThrowAsync<StoreException>(async () => await reading.ReadExactlyAsync(new byte[1000]))).Message.ShouldContain("was replaced or deleted while it was being read");
    }

    [Fact]
    public async Task A_listing_goes_on_from_page_to_page()
    {
        using var paged = await S3Store.Open(settings with { ListedAtOnce = 3 }, createBucket: false, default);
        var keys = Enumerable.Range(0, 10).Select(i => $"a/été {i}+").ToList();
        foreach (var key in keys) await store.Put(key, new MemoryStream([1]), default);

        (await paged.List("a/", default).Select(stored => stored.Key).ToListAsync()).ShouldBe(keys);
    }

    [Fact]
    public async Task Names_of_other_programs_that_are_no_keys_are_left_out()
    {
        using var client = S3Samples.PlainClient(settings);
        foreach (var key in new[] { "inbox/birds/", "inbox/birds//a.jpg", "inbox/../a.jpg", "inbox/birds/a.jpg" })
            await client.PutObjectAsync(new PutObjectRequest { BucketName = settings.Bucket, Key = key, ContentBody = "" });

        (await store.List("inbox/", default).Select(stored => stored.Key).ToListAsync()).ShouldBe(["inbox/birds/a.jpg"]);
    }

    [Fact]
    public async Task Finding_out_what_the_server_can_do_leaves_nothing_behind()
    {
        await store.PutIfAbsent("a", new MemoryStream([1]), default);
        await store.PutIfAbsent("b", new MemoryStream(new byte[Part + 1]), default);

        using var client = S3Samples.PlainClient(settings);
        (await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = settings.Bucket })).S3Objects.Select(item => item.Key).ShouldBe(["a", "b"]);
        (await Unfinished()).ShouldBeEmpty();
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private async Task<byte[]> Bytes(string key)
    {
        await using var stream = await store.OpenRead(key, default);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private async Task<List<string>> Unfinished()
    {
        using var client = S3Samples.PlainClient(settings);
        return [.. ((await client.ListMultipartUploadsAsync(settings.Bucket)).MultipartUploads ?? []).Select(upload => upload.Key)];
    }

    /// <summary>When it has been read to its end, what comes next is the request that publishes it: the answer to that is lost.</summary>
    private sealed class AnswerLosingStream(byte[] bytes, UnreliableNetwork network) : MemoryStream(bytes)
    {
        private bool done;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0 && !done)
            {
                done = true;
                network.AnswersToLose = 1;
            }
            return read;
        }
    }
}
