using System.Text;
using System.Text.Json;
using Amazon.S3;
using Amazon.S3.Model;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Ingestion;
using DmlPipeline.Ingestion.Events;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Storage.S3.Events;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Hosting;
using DmlPipeline.Tests.Services.Storage;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace DmlPipeline.Tests.Services.Ingestion;

/// <summary>From the real S3 server over the real broker into ingestion.</summary>
[Collection(RabbitMqCollection.Name)]
public sealed class ObjectEventTests(RabbitMqServer server) : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private S3Store store = null!;
    private AmazonS3Client client = null!;
    private BusSettings bus = null!;

    public async Task InitializeAsync()
    {
        bus = await server.NewBus();
        store = await S3Store.Open(await S3Samples.NewBucket(folder), createBucket: true, default);
        client = S3Samples.PlainClient(store.Settings);
    }

    public Task DisposeAsync()
    {
        client.Dispose();
        store.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_object_is_noticed_by_its_event_whatever_its_name()
    {
        await using var host = await Start(listSeconds: 86_400);
        string[] keys = ["inbox/birds/red robin/1+1.jpg", "inbox/birds/100%25 %2F/a&b=c.jpg", "inbox/birds/überflieger/🐦.jpg", "inbox/birds/large.bin"];

        foreach (var key in keys[..3]) await Put(key);
        await store.Put(keys[3], new MemoryStream(new byte[6 << 20]), default);

        await Eventually.Holds(async () => (await Noticed(host)).Count == keys.Length, "every object was noticed");
        foreach (var (key, etag, bytes) in await Noticed(host))
        {
            var stored = (await store.Find(key, default)).ShouldNotBeNull();
            (etag, bytes).ShouldBe((stored.ETag, stored.Bytes));
        }
    }

    [Fact]
    public async Task What_no_event_tells_of_the_listing_finds()
    {
        await using var host = await Start(listSeconds: 1);
        await LoseEvents();

        await Drop("birds");

        (await Settled(host, "birds")).State.ShouldBe("ready");
    }

    [Fact]
    public async Task Doubled_reordered_late_and_forged_events_make_one_version_of_one_drop()
    {
        await using var host = await Start(listSeconds: 86_400);
        await using var connection = await RabbitMqConnection.Open(bus, default);
        await using var channel = await connection.CreateChannelAsync();
        var keys = await Drop("birds");
        var events = keys.Reverse().SelectMany(key => new[] { Event("ceph:s3", "ObjectCreated:Put", key), Event("minio:s3", "s3:ObjectCreated:Put", Uri.EscapeDataString(key)) })
            .Append(Event("ceph:s3", "ObjectCreated:Put", "inbox/birds/never-written.jpg")).Append("rubbish"u8.ToArray()).ToList();

        foreach (var body in events) await Send(channel, body);
        var drop = await Settled(host, "birds");
        foreach (var body in events) await Send(channel, body);
        await Drop("later");
        await Settled(host, "later");

        drop.State.ShouldBe("ready", drop.Reason);
        drop.Objects.ShouldBe(keys.Count);
        (await host.Database.Drops("birds", default)).ShouldHaveSingleItem();
        (await host.Database.DatasetVersions("birds", default)).ShouldHaveSingleItem().Images.ShouldBe(keys.Count - 1);
        (await channel.MessageCountAsync("object-events")).ShouldBe(0u);
    }

    [Fact]
    public async Task Events_are_heard_again_after_the_connection_broke()
    {
        await using var host = await Start(listSeconds: 86_400);
        await LoseEvents();
        await Put("inbox/birds/1.jpg");

        await server.Control("close_all_connections", "--global", "test");
        await using var connection = await RabbitMqConnection.Open(bus, default);
        await using var channel = await connection.CreateChannelAsync();
        await Send(channel, Event("ceph:s3", "ObjectCreated:Put", "inbox/birds/1.jpg"));

        await Eventually.Holds(async () => (await Noticed(host)).Count == 1, "the object was noticed");
    }

    [Fact]
    public async Task Asking_for_events_leaves_what_others_have_asked_for()
    {
        var target = new ObjectEventTarget { Broker = EventQueue.AddressOf(bus), Exchange = "others" };
        var topic = await EventTopic.Create(store.Settings, $"other-{store.Settings.Bucket}", target, default);
        await client.PutBucketNotificationAsync(new PutBucketNotificationRequest
        {
            BucketName = store.Settings.Bucket, TopicConfigurations = [new TopicConfiguration { Id = "others", Topic = topic, Events = [EventType.ObjectCreatedPut] }],
        });

        for (var i = 0; i < 2; i++) await store.RegisterEvents("inbox/", target, default);

        var found = (await client.GetBucketNotificationAsync(store.Settings.Bucket)).TopicConfigurations;
        found.Select(configuration => configuration.Id).ShouldBe(["others", $"dml-{store.Settings.Bucket}"], ignoreOrder: true);
    }

    [Fact]
    public async Task Events_that_are_required_and_cannot_be_had_are_an_error_and_else_the_listing_does_without()
    {
        var events = new EventSettings { Broker = bus, Target = "arn:aws:sns:default::nothing-of-this-name" };

        var error = await Should.ThrowAsync<SettingException>(() => Start(events with { IsRequired = true }, listSeconds: 1));
        await using var host = await Start(events, listSeconds: 1);
        await Put("inbox/birds/1.jpg");

        error.Setting.ShouldBe("events");
        await Eventually.Holds(async () => (await Noticed(host)).Count == 1, "the object was noticed");
    }

    private Task<TestHost> Start(double listSeconds) => Start(new EventSettings { IsRequired = true, Broker = bus }, listSeconds);

    private Task<TestHost> Start(EventSettings events, double listSeconds) => TestHost.Start(folder, IngestionService.AddConsumers, services =>
    {
        services.AddSingleton<IArtifactStore>(store).AddIngestion().AddObjectEvents(events);
        services.Configure<InboxOptions>(inbox => (inbox.ListSeconds, inbox.SettleSeconds) = (listSeconds, 600));
        services.Configure<IngestionOptions>(ingestion => ingestion.TemporaryFolder = folder.Path);
    }, bus);

    /// <summary>With the mark that it is complete, last.</summary>
    private async Task<IReadOnlyList<string>> Drop(string dataset)
    {
        var files = TestImages.Classes(6, 2).Select(image => ($"inbox/{dataset}/{image.Item1}", image.Item2)).Append(($"inbox/{dataset}/{DropSettler.Ready}", [])).ToList();
        foreach (var (key, bytes) in files) await store.Put(key, new MemoryStream(bytes), default);
        return [.. files.Select(file => file.Item1)];
    }

    /// <summary>From here on the store tells of another folder.</summary>
    private async Task LoseEvents()
    {
        var request = new PutBucketNotificationRequest { BucketName = store.Settings.Bucket, TopicConfigurations = (await client.GetBucketNotificationAsync(store.Settings.Bucket)).TopicConfigurations };
        request.TopicConfigurations.ShouldHaveSingleItem().Filter.S3KeyFilter.FilterRules.ShouldHaveSingleItem().Value = "elsewhere/";
        await client.PutBucketNotificationAsync(request);
    }

    private Task Put(string key) => client.PutObjectAsync(new PutObjectRequest { BucketName = store.Settings.Bucket, Key = key, ContentBody = key });

    private static async Task<DropRow> Settled(TestHost host, string dataset)
    {
        await Eventually.Holds(async () => (await host.Database.Drops(dataset, default)).Any(drop => drop.FinishedAt is not null), $"the drop of {dataset} was built");
        return (await host.Database.Drops(dataset, default)).ShouldHaveSingleItem();
    }

    private static async Task<IReadOnlyList<(string Key, string ETag, long Bytes)>> Noticed(TestHost host) =>
        [.. await host.Database.Query<(string, string, long)>("select key, etag, bytes from inbox_objects", null, default)];

    private static async Task Send(IChannel channel, byte[] body) => await channel.BasicPublishAsync("object-events", "", body);

    private byte[] Event(string source, string name, string key) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
    {
        Records = new[] { new { eventSource = source, eventName = name, s3 = new { bucket = new { name = store.Settings.Bucket }, @object = new { key } } } },
    }));
}
