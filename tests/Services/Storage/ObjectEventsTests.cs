using System.Text;
using System.Text.Json;
using DmlPipeline.Storage.S3.Events;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Messages as MinIO RELEASE.2025-09-07 and Ceph 16 send them, and as nobody should.</summary>
public sealed class ObjectEventsTests
{
    [Theory]
    [InlineData("inbox%2Fbirds%2Frobin%2F1.jpg", "inbox/birds/robin/1.jpg")]
    [InlineData("inbox%2Fbirds%2Fred+robin%2F1%2B1.jpg", "inbox/birds/red robin/1+1.jpg")]
    [InlineData("inbox%2Fbirds%2F100%2525%252F.jpg", "inbox/birds/100%25%2F.jpg")]
    [InlineData("inbox%2Fbirds%2F%C3%BCberflieger%2F%F0%9F%90%A6.jpg", "inbox/birds/überflieger/🐦.jpg")]
    public void Keys_of_MinIO_are_escaped_as_in_a_query(string key, string meant) => Read(MinIo(key)).Created.ShouldBe([meant]);

    [Theory]
    [InlineData("inbox/birds/robin/1.jpg")]
    [InlineData("inbox/birds/red+robin/1 1.jpg")]
    [InlineData("inbox/birds/100%25%2F.jpg")]
    [InlineData("inbox/birds/überflieger/🐦.jpg")]
    public void Keys_of_Ceph_are_as_they_are(string key) => Read(Ceph(key)).Created.ShouldBe([key]);

    [Fact]
    public void Of_other_servers_both_readings_are_looked_at()
    {
        Read(Event("aws:s3", "ObjectCreated:Put", "inbox/birds/red+robin/1.jpg")).Created.ShouldBe(["inbox/birds/red robin/1.jpg", "inbox/birds/red+robin/1.jpg"]);
        Read(Event("rustfs:s3", "s3:ObjectCreated:Put", "inbox/birds/1.jpg")).Created.ShouldBe(["inbox/birds/1.jpg"]);
        Read(Event(null, "s3:ObjectCreated:Put", "inbox%2Fbirds%2F1.jpg")).Created.ShouldBe(["inbox/birds/1.jpg"]);
    }

    [Theory]
    [InlineData("minio:s3", "s3:ObjectCreated:Put")]
    [InlineData("minio:s3", "s3:ObjectCreated:CompleteMultipartUpload")]
    [InlineData("minio:s3", "s3:ObjectCreated:Copy")]
    [InlineData("ceph:s3", "ObjectCreated:Put")]
    [InlineData("ceph:s3", "ObjectCreated:CompleteMultipartUpload")]
    [InlineData("ceph:s3", "s3:ObjectCreated:Post")]
    public void However_an_object_came_to_be_it_is_there(string source, string name) =>
        Read(Event(source, name, "inbox/birds/1.jpg")).Created.ShouldBe(["inbox/birds/1.jpg"]);

    [Theory]
    [InlineData("ceph:s3", "ObjectRemoved:Delete", "inbox/birds/1.jpg")]
    [InlineData("minio:s3", "s3:ObjectAccessed:Get", "inbox/birds/1.jpg")]
    [InlineData("ceph:s3", "ObjectCreated:Put", "datasets/birds/v1/manifest.json")]
    [InlineData("ceph:s3", "ObjectCreated:Put", "inbox/")]
    [InlineData("ceph:s3", "ObjectCreated:Put", "inbox/birds/")]
    [InlineData("ceph:s3", "ObjectCreated:Put", "inbox/../datasets/birds")]
    [InlineData("minio:s3", "s3:ObjectCreated:Put", "inbox%2Fbirds%2F%00")]
    public void What_is_none_of_the_inbox_is_counted_and_not_looked_at(string source, string name, string key)
    {
        var message = Read(Event(source, name, key));

        message.Created.ShouldBeEmpty();
        (message.Others, message.Unreadable).ShouldBe((1, 0));
    }

    [Fact]
    public void Events_of_another_bucket_and_endless_keys_are_not_looked_at()
    {
        Read(Event("ceph:s3", "ObjectCreated:Put", "inbox/birds/1.jpg", bucket: "other")).Created.ShouldBeEmpty();
        Read(Event("ceph:s3", "ObjectCreated:Put", "inbox/birds/" + new string('x', 2000))).Created.ShouldBeEmpty();
    }

    [Fact]
    public void A_message_with_several_records_tells_of_each_that_can_be_read()
    {
        var records = $"[{Record("ceph:s3", "ObjectCreated:Put", "inbox/a/1.jpg")}, 7, {Record("minio:s3", "s3:ObjectCreated:Put", "inbox%2Fb%2F1.jpg")}, {{}}, {Record("ceph:s3", "ObjectRemoved:Delete", "inbox/c/1.jpg")}]";

        var message = Read($$"""{"Records": {{records}}}""");

        message.Created.ShouldBe(["inbox/a/1.jpg", "inbox/b/1.jpg"]);
        (message.Others, message.Unreadable).ShouldBe((1, 2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"Records\": {}}")]
    [InlineData("{\"Service\": \"Amazon S3\", \"Event\": \"s3:TestEvent\"}")]
    [InlineData("{\"Records\": [{\"eventName\": \"ObjectCreated:Put\", \"s3\": {\"object\": {\"key\": 5}}}]}")]
    [InlineData("{\"Records\": [{\"eventName\": \"ObjectCreated:Put\", \"s3\": {\"object\": {\"key\": \"inbox/a/\\ud800\"}}}]}")]
    [InlineData("{\"Records\": [{\"eventName\": [], \"s3\": []}]}")]
    [InlineData("{\"Records\": [null]}")]
    public void What_no_server_writes_is_counted_and_nothing_else(string body)
    {
        var message = Read(body);

        message.Created.ShouldBeEmpty();
        message.Unreadable.ShouldBe(1);
    }

    [Fact]
    public void Bytes_that_are_no_text_nesting_without_end_and_very_long_messages_are_counted()
    {
        var invalid = Encoding.UTF8.GetBytes(Ceph("inbox/birds/?.jpg"));
        invalid[Array.IndexOf(invalid, (byte)'?')] = 0xFF;
        ObjectEvents.Read(invalid, "dml", "inbox/").Unreadable.ShouldBe(1);
        Read($"{{\"Records\": {new string('[', 10_000)}").Unreadable.ShouldBe(1);
        Read($"{{\"Records\": [], \"padding\": \"{new string('x', 2 << 20)}\"}}").Unreadable.ShouldBe(1);
        Read($"{{\"Records\": [{string.Join(',', Enumerable.Repeat("1", 5000))}]}}").Unreadable.ShouldBe(1);
    }

    private static ObjectEventMessage Read(string body) => ObjectEvents.Read(Encoding.UTF8.GetBytes(body), "dml", "inbox/");

    private static string MinIo(string key) =>
        $$"""{"EventName": "s3:ObjectCreated:Put", "Key": "dml/inbox", "Records": [{{Record("minio:s3", "s3:ObjectCreated:Put", key)}}]}""";

    private static string Ceph(string key) => Event("ceph:s3", "ObjectCreated:Put", key);

    private static string Event(string? source, string name, string key, string bucket = "dml") => $$"""{"Records": [{{Record(source, name, key, bucket)}}]}""";

    private static string Record(string? source, string name, string key, string bucket = "dml") =>
        JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["eventVersion"] = "2.1", ["eventSource"] = source, ["awsRegion"] = "", ["eventTime"] = "2026-01-01T00:00:00.000Z", ["eventName"] = name,
            ["s3"] = new { s3SchemaVersion = "1.0", configurationId = "dml-dml", bucket = new { name = bucket, arn = $"arn:aws:s3:::{bucket}" }, @object = new { key, size = 5, eTag = "5d41402abc4b2a76b9719d911017c592" } },
        });
}
