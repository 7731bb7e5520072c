using DmlPipeline.Storage.S3;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class S3SettingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("http://127.0.0.1:9000/dml", "http://127.0.0.1:9000/", "dml")]
    [InlineData("https://s3.example.org/my-bucket/", "https://s3.example.org/", "my-bucket")]
    public void An_address_names_server_and_bucket(string address, string endpoint, string bucket) =>
        S3Settings.ParseAddress(address).ShouldBe((new Uri(endpoint), bucket));

    [Theory]
    [InlineData("s3://bucket", "is no address of a bucket")]
    [InlineData("not an address", "is no address of a bucket")]
    [InlineData("http://127.0.0.1:9000", "names no bucket")]
    [InlineData("http://127.0.0.1:9000/My_Bucket", "names no bucket")]
    [InlineData("http://127.0.0.1:9000/bucket/folder", "names no bucket")]
    public void What_is_no_address_is_refused_with_the_right_form(string address, string expected)
    {
        var error = Should.Throw<StoreException>(() => S3Settings.ParseAddress(address));

        error.Setting.ShouldBe("store");
        error.Message.ShouldContain(expected);
        error.Message.ShouldContain("write http[s]://HOST[:PORT]/BUCKET");
    }

    [Fact]
    public void A_password_in_the_address_is_refused_and_not_repeated()
    {
        var error = Should.Throw<StoreException>(() => S3Settings.ParseAddress("http://me:hunter2@127.0.0.1:9000/bucket"));

        error.Message.ShouldNotContain("hunter2");
        error.Message.ShouldContain("store-secret-key");
    }

    [Fact]
    public async Task A_wrong_setting_is_named_when_the_store_is_opened()
    {
        var good = await S3Samples.NewBucket(folder);
        (await S3Store.Open(good, createBucket: true, default)).Dispose();

        await Refused(good with { AccessKey = "nobody" }, "store-access-key", "does not know the access key 'nobody'");
        await Refused(good with { SecretKey = "wrong" }, "store-secret-key", "The secret key does not belong to the access key");
        await Refused(good with { Bucket = "no-such-bucket" }, "store", "There is no bucket 'no-such-bucket'");
        await Refused(good with { Endpoint = new Uri("http://127.0.0.1:1") }, "store", "The S3 server at http://127.0.0.1:1/ gave no answer");
        await Refused(good with { SecretKey = "" }, "store-secret-key", "set store-secret-key");
        (await S3Store.Open(good, createBucket: false, default)).Dispose();
    }

    private static async Task Refused(S3Settings settings, string setting, string expected)
    {
        var error = await Should.ThrowAsync<StoreException>(S3Store.Open(settings, createBucket: false, default));

        error.Setting.ShouldBe(setting);
        error.Message.ShouldContain(expected);
    }
}
