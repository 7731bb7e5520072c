using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>A real bucket that may hold half a megabyte.</summary>
public sealed class S3QuotaTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(12_000_000)]
    public async Task What_does_not_fit_the_quota_is_not_seen_and_goes_through_when_there_is_room(int bytes)
    {
        var settings = await S3Samples.NewBucket(folder);
        using var store = await S3Store.Open(settings, createBucket: true, default);
        await TestServer.Run("s3", "quota", settings.Bucket, "500000");
        var content = new byte[bytes];

        var error = await Should.ThrowAsync<StoreException>(store.Put("datasets/large", new MemoryStream(content), default));

        NoRoom.IsMeantBy(error).ShouldBeTrue();
        error.Message.ShouldContain("has no room left for");
        (await store.Find("datasets/large", default)).ShouldBeNull();
        await foreach (var item in store.List("", default)) item.Key.ShouldBeNull("nothing is there");

        await TestServer.Run("s3", "quota", settings.Bucket, "-1");
        await Eventually.Holds(async () => await Stored(store, content), "the gateway has noticed that there is room");
        (await store.Find("datasets/large", default)).ShouldNotBeNull().Bytes.ShouldBe(bytes);
    }

    private static async Task<bool> Stored(S3Store store, byte[] content)
    {
        try
        {
            await store.Put("datasets/large", new MemoryStream(content), default);
            return true;
        }
        catch (StoreException e) when (e.IsFull)
        {
            return false;
        }
    }
}
