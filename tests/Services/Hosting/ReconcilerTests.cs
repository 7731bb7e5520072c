using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class SqliteReconcilerTests() : ReconcilerTests(new SqliteTestDatabase());

public sealed class PostgresReconcilerTests() : ReconcilerTests(new PostgresTestDatabase());

/// <summary>What is owed for ever, such as a message that can never be consumed.</summary>
public abstract class ReconcilerTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly BusSettings Broker = BusSettings.Parse("rabbitmq://broker");
    private Database database = null!;

    public async Task InitializeAsync() => database = await databases.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task On_a_broker_it_is_sent_again_after_pauses_that_grow()
    {
        (await Round(Broker)).ShouldBe(1);
        (await Round(Broker)).ShouldBe(1);
        await Pass(TimeSpan.FromMinutes(1.1));
        (await Round(Broker)).ShouldBe(2);
        await Pass(TimeSpan.FromMinutes(1.1));
        (await Round(Broker)).ShouldBe(2);
        await Pass(TimeSpan.FromMinutes(1.1));
        (await Round(Broker)).ShouldBe(3);
    }

    [Fact]
    public async Task A_bus_in_memory_that_begins_anew_has_lost_it_and_is_sent_it_at_once()
    {
        (await Round(BusSettings.Memory)).ShouldBe(1);
        (await Round(BusSettings.Memory)).ShouldBe(2);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task What_is_under_way_on_a_broker_at_the_start_gets_a_minute_to_arrive(bool inMemory, int minutes)
    {
        var asked = new TaskCompletionSource<long>();
        await Run(inMemory ? BusSettings.Memory : Broker, new Reconciliation("owed", (_, before) =>
        {
            asked.TrySetResult(before);
            return Task.FromResult(0);
        }), asked.Task);

        TimeSpan.FromMilliseconds(Database.Now - await asked.Task).ShouldBe(TimeSpan.FromMinutes(minutes), tolerance: TimeSpan.FromSeconds(50));
    }

    /// <summary>One round of a process that owes one message; returns how often it was sent so far.</summary>
    private async Task<int> Round(BusSettings bus)
    {
        var ended = new TaskCompletionSource();
        await Run(
            bus,
            [new Reconciliation("owed", async (transaction, _) =>
            {
                await transaction.Publish(new PrepareDataset("a", "birds"));
                return 1;
            }), new Reconciliation("the next", (_, _) =>
            {
                ended.TrySetResult();
                return Task.FromResult(0);
            })],
            ended.Task);
        return await database.QueryOne<int>("select count(*) from outbox", null, default);
    }

    private Task Run(BusSettings bus, Reconciliation reconciliation, Task until) => Run(bus, [reconciliation], until);

    private async Task Run(BusSettings bus, Reconciliation[] reconciliations, Task until)
    {
        using var reconciler = new Reconciler(database, bus, reconciliations, NullLogger<Reconciler>.Instance);
        await reconciler.StartAsync(default);
        await until.WaitAsync(TimeSpan.FromSeconds(60));
        await reconciler.StopAsync(default);
    }

    private Task Pass(TimeSpan time) =>
        database.Write(transaction => transaction.Execute("update outbox set created_at = created_at - @time", new { time = (long)time.TotalMilliseconds }), default);
}
