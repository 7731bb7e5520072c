using System.Collections.Concurrent;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class BusTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_message_of_a_transaction_arrives_once()
    {
        var deliveries = new Deliveries();
        await using var host = await Start(deliveries);

        await Publish(host.Database, "a");
        await Effect(host, "a");
        await Publish(host.Database, "later");
        await Effect(host, "later");

        deliveries.Drops.ShouldBe(["a", "later"]);
        await Eventually.Holds(async () => (await host.Database.Unsent(10, default)).Count == 0, "the outbox is empty");
    }

    [Fact]
    public async Task What_another_process_left_in_the_outbox_is_sent()
    {
        using (var dead = await folder.OpenDatabase()) await Publish(dead, "a");

        await using var host = await Start(new Deliveries());

        await Effect(host, "a");
    }

    [Fact]
    public async Task A_redelivered_message_has_one_effect()
    {
        await using var host = await Start(new Deliveries());
        var id = Guid.NewGuid();

        for (var i = 0; i < 5; i++) await host.Bus.Publish(new PrepareDataset("twice", "birds"), context => context.MessageId = id);
        await Eventually.Holds(async () => await DropConsumer.Effects(host.Database, "twice") > 0, "the message had its effect");
        await Publish(host.Database, "later");
        await Effect(host, "later");

        (await DropConsumer.Effects(host.Database, "twice")).ShouldBe(1);
    }

    [Fact]
    public async Task A_message_that_died_with_its_process_is_derived_from_the_state_and_sent_again()
    {
        using (var dead = await folder.OpenDatabase())
        {
            await dead.Write(transaction => transaction.Execute(
                "insert into drops (id, dataset, state, objects, bytes, created_at) values ('a', 'birds', 'settled', 1, 1, @now)", new { now = Database.Now - 1 }), default);
            await Publish(dead, "a");
            // The bus took it, the process noted so and died before the consumer had it.
            await dead.MarkSent([(await dead.Unsent(1, default)).Single().Id], default);
        }

        await using var host = await Start(new Deliveries(), services => services
            .AddReconciliation("something that cannot be asked", (_, _) => throw new InvalidOperationException("broken"))
            .AddReconciliation("settled drops without a job", OweDrops));

        await Effect(host, "a");
    }

    [Fact]
    public async Task A_consumer_that_throws_is_retried_and_ends_in_the_error_queue_while_others_pass()
    {
        var deliveries = new Deliveries { Fail = drop => drop switch { "poison" => new IOException("disk"), "hopeless" => new PermanentException("no"), _ => null } };
        var errors = new ConcurrentQueue<string>();
        await using var host = await Start(deliveries);
        var error = host.Bus.ConnectReceiveEndpoint("drop_error", endpoint =>
        {
            endpoint.ConfigureConsumeTopology = false;
            endpoint.Handler<PrepareDataset>(context =>
            {
                errors.Enqueue(context.Message.DropId);
                return Task.CompletedTask;
            });
        });
        await error.Ready;

        foreach (var drop in new[] { "poison", "hopeless", "a", "b" }) await Publish(host.Database, drop);

        await Effect(host, "a");
        await Effect(host, "b");
        await Eventually.Holds(() => errors.Count == 2, "both messages are in the error queue");
        errors.ShouldBe(["hopeless", "poison"]);
        (deliveries.Of("poison"), deliveries.Of("hopeless")).ShouldBe((4, 1));
        (await DropConsumer.Effects(host.Database, "poison")).ShouldBe(0);
    }

    [Fact]
    public async Task A_message_that_succeeds_at_the_second_attempt_has_one_effect()
    {
        var deliveries = default(Deliveries)!;
        deliveries = new Deliveries { Fail = drop => deliveries.Of(drop) == 1 ? new IOException("busy") : null };
        await using var host = await Start(deliveries);

        await Publish(host.Database, "a");

        await Effect(host, "a");
        deliveries.Of("a").ShouldBe(2);
    }

    [Theory]
    [InlineData("AddedByANewerVersion", "{}")]
    [InlineData("PrepareDataset", "{ not json")]
    public async Task A_message_that_cannot_be_read_does_not_hold_up_the_next(string type, string body)
    {
        await using var host = await Start(new Deliveries());

        await host.Database.Write(async transaction =>
        {
            await transaction.Execute(
                "insert into outbox (message_id, type, body_json, created_at) values (@id, @type, @body, 0)", new { id = Guid.NewGuid().ToString(), type, body });
            await transaction.Publish(new PrepareDataset("a", "birds"));
        }, default);

        await Effect(host, "a");
    }

    [Fact]
    public async Task Every_message_crosses_the_bus_unchanged()
    {
        var messages = SampleValues.All.Values.Where(value =>
            value.GetType().Namespace == typeof(TrainModel).Namespace && value is not (ArtifactRef or ChampionOnSameSplit or DroppedObject)).ToList();
        var arrived = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await using var host = await TestHost.Start(
            folder,
            bus =>
            {
                foreach (var message in messages) bus.AddConsumer(typeof(Recorder<>).MakeGenericType(message.GetType()));
            },
            services => services.AddSingleton(arrived));

        await host.Database.Write(async transaction =>
        {
            foreach (var message in messages)
                await (Task)typeof(Transaction).GetMethod(nameof(Transaction.Publish))!.MakeGenericMethod(message.GetType()).Invoke(transaction, [message])!;
        }, default);

        await Eventually.Holds(() => arrived.Count == messages.Count, "every message arrived");
        foreach (var message in messages) arrived[message.GetType().Name].ShouldBe(JsonSerializer.Serialize(message, message.GetType(), ContractJson.Compact));
    }

    private Task<TestHost> Start(Deliveries deliveries, Action<IServiceCollection>? addServices = null) =>
        TestHost.Start(folder, bus => bus.AddConsumer<DropConsumer>(), services =>
        {
            services.AddSingleton(deliveries);
            addServices?.Invoke(services);
        });

    private static Task Publish(Database database, string drop) =>
        database.Write(transaction => transaction.Publish(new PrepareDataset(drop, "birds")), default);

    private static Task Effect(TestHost host, string drop) =>
        Eventually.Holds(async () => await DropConsumer.Effects(host.Database, drop) == 1, $"{drop} had one effect");

    private static async Task<int> OweDrops(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<string>(
            "select id from drops d where state = 'settled' and created_at < @before and not exists (select 1 from jobs j where j.subject = d.id)", new { before })).ToList();
        foreach (var drop in owed) await transaction.Publish(new PrepareDataset(drop, "birds"));
        return owed.Count;
    }

    private sealed class Recorder<T>(ConcurrentDictionary<string, string> arrived) : IConsumer<T> where T : class
    {
        public Task Consume(ConsumeContext<T> context)
        {
            arrived[typeof(T).Name] = JsonSerializer.Serialize(context.Message, ContractJson.Compact);
            return Task.CompletedTask;
        }
    }
}
