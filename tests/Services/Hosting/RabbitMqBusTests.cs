using System.Net.Sockets;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Hosting.Observability;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using MassTransit;
using Npgsql;
using RabbitMQ.Client;

namespace DmlPipeline.Tests.Services.Hosting;

[Collection(RabbitMqCollection.Name)]
public sealed class RabbitMqBusTests(RabbitMqServer server) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_message_waits_through_a_restart_of_the_broker_for_a_consumer_that_comes_later()
    {
        var bus = await server.NewBus();
        await using (var sender = await StartSender(bus))
        {
            await Publish(sender.Database, "a");
            await Eventually.Holds(async () => (await sender.Database.Unsent(10, default)).Count == 0, "the message was sent");
        }

        await server.Stop();
        await server.Start();

        await using var host = await Start(bus, new Deliveries());
        await Effect(host, "a");
    }

    [Fact]
    public async Task What_is_published_while_the_broker_is_down_arrives_when_it_is_back()
    {
        await using var host = await Start(await server.NewBus(), new Deliveries());
        await Publish(host.Database, "before");
        await Effect(host, "before");

        await server.Stop();
        await Publish(host.Database, "during");
        await server.Start();

        await Effect(host, "during");
        await Publish(host.Database, "after");
        await Effect(host, "after");
        (await DropConsumer.Effects(host.Database, "during")).ShouldBe(1);
    }

    [Fact]
    public async Task A_poisoned_message_ends_in_the_error_queue_while_others_pass()
    {
        var bus = await server.NewBus();
        var deliveries = new Deliveries { Fail = drop => drop switch { "poison" => new IOException("disk"), "hopeless" => new PermanentException("no"), _ => null } };
        await using var host = await Start(bus, deliveries);

        foreach (var drop in new[] { "poison", "hopeless", "a", "b" }) await Publish(host.Database, drop);

        await Effect(host, "a");
        await Effect(host, "b");
        await Eventually.Holds(async () => await Count(bus, $"{DropConsumer.Queue}_error") == 2, "both messages are in the error queue");
        (deliveries.Of("poison"), deliveries.Of("hopeless")).ShouldBe((3, 1));
        (await DropConsumer.Effects(host.Database, "poison")).ShouldBe(0);
    }

    public static TheoryData<Exception> Circumstances => new()
    {
        new NpgsqlException("Failed to connect to 127.0.0.1:5432", new SocketException((int)SocketError.ConnectionRefused)),
        new IOException("It could not be read.", new StoreException(null, "The S3 server gave no answer.") { IsOutage = true }),
        new IOException("No space left on device", hresult: 28),
    };

    [Theory]
    [MemberData(nameof(Circumstances))]
    public async Task A_message_waits_for_a_database_or_a_store_that_is_away_or_full_however_long_it_takes(Exception error)
    {
        var bus = await server.NewBus() with { RetryAfterOutage = TimeSpan.FromMilliseconds(30) };
        var attempts = 0;
        // An error of its own comes first: the two kinds of waiting must not get in each other's way. Then more of them than there are retries.
        var deliveries = new Deliveries { Fail = _ => Interlocked.Increment(ref attempts) switch { 1 => new IOException("busy"), <= 10 => error, _ => null } };
        using var metrics = new PrometheusMetrics();
        await using var host = await Start(bus, deliveries);

        await Publish(host.Database, "a");

        await Effect(host, "a");
        (await Count(bus, $"{DropConsumer.Queue}_error")).ShouldBe(0u);
        metrics.Render().ShouldContain($"dml_messages_waiting{{queue=\"{DropConsumer.Queue}\"}} 0\n");
    }

    [Fact]
    public async Task A_message_that_waits_is_counted_and_goes_back_into_its_queue_when_the_process_stops()
    {
        using var metrics = new PrometheusMetrics();
        var bus = await server.NewBus() with { RetryAfterOutage = TimeSpan.FromHours(1) };
        var deliveries = new Deliveries { Fail = _ => new StoreException(null, "The S3 server gave no answer.") { IsOutage = true } };
        await using (var host = await Start(bus, deliveries))
        {
            await Publish(host.Database, "a");
            await Eventually.Holds(() => deliveries.Of("a") == 1, "the message was tried");
            await Eventually.Holds(() => metrics.Render().Contains($"dml_messages_waiting{{queue=\"{DropConsumer.Queue}\"}} 1\n", StringComparison.Ordinal), "it was counted");
        }

        (await Count(bus, DropConsumer.Queue), await Count(bus, $"{DropConsumer.Queue}_error")).ShouldBe((1u, 0u));
    }

    [Fact]
    public async Task A_message_that_ends_its_process_every_time_ends_in_the_error_queue()
    {
        var bus = await server.NewBus();
        await using (var sender = await StartSender(bus)) await Sent(sender, "deadly");

        await using var connection = await RabbitMqConnection.Open(bus, default);
        await using var channel = await connection.CreateChannelAsync();
        for (var delivered = 0; await channel.BasicGetAsync(DropConsumer.Queue, autoAck: false) is { } got; delivered++)
        {
            delivered.ShouldBeLessThan(100);
            await channel.BasicRejectAsync(got.DeliveryTag, requeue: true);
        }

        await Eventually.Holds(async () => await Count(bus, $"{DropConsumer.Queue}_error") == 1, "the broker moved it");
    }

    [Fact]
    public async Task Copies_of_a_message_have_one_effect_in_whichever_process()
    {
        var bus = await server.NewBus();
        await using var first = await Start(bus, new Deliveries());
        await using var second = await Start(bus, new Deliveries());
        var id = Guid.NewGuid();

        for (var i = 0; i < 20; i++) await first.Bus.Publish(new PrepareDataset("twice", "birds"), context => context.MessageId = id);
        await Publish(first.Database, "later");
        await Effect(first, "later");

        await Eventually.Holds(async () => await Count(bus, DropConsumer.Queue) == 0, "every copy was taken");
        (await DropConsumer.Effects(first.Database, "twice")).ShouldBe(1);
    }

    [Fact]
    public async Task Processes_with_one_outbox_send_each_message_once()
    {
        var bus = await server.NewBus();
        await using var first = await StartSender(bus);
        await using var second = await StartSender(bus);

        await first.Database.Write(async transaction =>
        {
            for (var i = 0; i < 1000; i++) await transaction.Publish(new PrepareDataset($"{i}", "birds"));
        }, default);

        await Eventually.Holds(async () => (await first.Database.Unsent(1, default)).Count == 0, "the outbox is empty");
        (await Count(bus, DropConsumer.Queue)).ShouldBe(1000u);
    }

    [Fact]
    public async Task A_process_is_given_no_more_messages_at_a_time_than_it_asks_for()
    {
        var deliveries = new Deliveries { Hold = new TaskCompletionSource() };
        await using var host = await Start(await server.NewBus() with { Prefetch = 3 }, deliveries);

        foreach (var drop in Enumerable.Range(0, 10)) await Publish(host.Database, $"{drop}");
        await Eventually.Holds(() => deliveries.Drops.Count == 3, "three messages are held");
        await Eventually.Holds(async () => (await host.Database.Unsent(1, default)).Count == 0, "all were sent");
        deliveries.Drops.Count.ShouldBe(3);

        deliveries.Hold.SetResult();
        foreach (var drop in Enumerable.Range(0, 10)) await Effect(host, $"{drop}");
    }

    [Fact]
    public async Task A_message_whose_process_lost_its_connection_half_way_goes_to_another_and_has_one_effect()
    {
        var bus = await server.NewBus();
        var deliveries = new Deliveries { Hold = new TaskCompletionSource() };
        await using var first = await Start(bus, deliveries);
        await using var second = await Start(bus, deliveries);
        await Publish(first.Database, "a");
        await Eventually.Holds(() => deliveries.Of("a") == 1, "the message is being consumed");

        await server.Control("close_all_connections", "--global", "test");
        await Eventually.Holds(() => deliveries.Of("a") == 2, "the message was delivered again");
        deliveries.Hold.SetResult();

        await Effect(first, "a");
        await Publish(first.Database, "later");
        await Effect(first, "later");
        await Eventually.Holds(async () => await Count(bus, DropConsumer.Queue) == 0, "nothing is left");
        (await DropConsumer.Effects(first.Database, "a")).ShouldBe(1);
    }

    private Task<TestHost> Start(BusSettings bus, Deliveries deliveries) => DropConsumer.Serve(folder, bus, deliveries);

    /// <summary>A process without consumers: what it sends stays in the queue.</summary>
    private Task<TestHost> StartSender(BusSettings bus) => TestHost.Start(folder, _ => { }, addServices: null, bus);

    private static async Task Sent(TestHost host, string drop)
    {
        await Publish(host.Database, drop);
        await Eventually.Holds(async () => (await host.Database.Unsent(1, default)).Count == 0, $"{drop} was sent");
    }

    private static Task Publish(Database database, string drop) =>
        database.Write(transaction => transaction.Publish(new PrepareDataset(drop, "birds")), default);

    private static Task Effect(TestHost host, string drop) =>
        Eventually.Holds(async () => await DropConsumer.Effects(host.Database, drop) == 1, $"{drop} had one effect");

    private static async Task<uint> Count(BusSettings bus, string queue)
    {
        await using var connection = await RabbitMqConnection.Open(bus, default);
        await using var channel = await connection.CreateChannelAsync();
        return await channel.MessageCountAsync(queue);
    }
}
