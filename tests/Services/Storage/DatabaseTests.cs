using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteDatabaseTests() : DatabaseTests(new SqliteTestDatabase());

public sealed class PostgresDatabaseTests() : DatabaseTests(new PostgresTestDatabase());

/// <summary>What a database promises, whichever engine it is.</summary>
public abstract class DatabaseTests(TestDatabase databases) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await databases.DisposeAsync();

    [Fact]
    public async Task A_new_file_gets_the_schema_and_keeps_it_when_opened_again()
    {
        int version;
        using (var first = await databases.Open())
        {
            await first.Write(transaction => transaction.Enqueue("train", "a"), default);
            version = await databases.Schema(first);
        }
        using var second = await databases.Open();

        version.ShouldBeGreaterThan(0);
        (await databases.Schema(second)).ShouldBe(version);
        (await second.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(1);
    }

    [Fact]
    public async Task A_transaction_inside_another_is_refused_instead_of_waiting_for_itself()
    {
        using var database = await databases.Open();

        await Should.ThrowAsync<InvalidOperationException>(database.Write(_ => database.Write(transaction => transaction.Enqueue("train", "a"), default), default));

        (await database.Write(transaction => transaction.Enqueue("train", "a"), default)).ShouldBe(1);
    }

    [Fact]
    public async Task Many_that_open_a_new_file_at_once_all_find_the_schema()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(databases.Open)));

        foreach (var database in opened)
        {
            (await database.QueryOne<int>("select count(*) from runs", null, default)).ShouldBe(0);
            database.Dispose();
        }
    }

    [Fact]
    public async Task A_schema_from_the_future_is_refused_with_the_remedy()
    {
        using (var database = await databases.Open()) await databases.SetSchema(database, 1000);

        (await Should.ThrowAsync<InvalidOperationException>(databases.Open)).Message.ShouldContain("newer version. Update");
    }

    [Fact]
    public async Task A_transaction_that_fails_leaves_and_publishes_nothing()
    {
        using var database = await databases.Open();
        var called = 0;
        database.OutboxFilled = () => called++;

        await Should.ThrowAsync<TimeoutException>(database.Write(async transaction =>
        {
            await transaction.Enqueue("train", "a");
            await transaction.Receive(Guid.NewGuid(), "consumer");
            await transaction.Publish(new PrepareDataset("d-1", "birds"));
            throw new TimeoutException();
        }, default));

        called.ShouldBe(0);
        (await database.Unsent(10, default)).ShouldBeEmpty();
        (await database.QueryOne<int>("select (select count(*) from jobs) + (select count(*) from inbox)", null, default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_transaction_that_is_cancelled_leaves_nothing()
    {
        using var database = await databases.Open();
        using var cancel = new CancellationTokenSource();

        await Should.ThrowAsync<OperationCanceledException>(database.Write(async transaction =>
        {
            await transaction.Publish(new PrepareDataset("d-1", "birds"));
            await cancel.CancelAsync();
        }, cancel.Token));

        (await database.Unsent(10, default)).ShouldBeEmpty();
        await database.Write(transaction => transaction.Enqueue("train", "a"), default);
    }

    [Fact]
    public async Task The_outbox_is_called_for_once_its_messages_can_be_read()
    {
        using var database = await databases.Open();
        using var other = await databases.Open();
        var seen = new List<int>();
        database.OutboxFilled = () => seen.Add(Count(other));

        await database.Write(transaction => transaction.Enqueue("train", "a"), default);
        await database.Write(async transaction =>
        {
            await transaction.Publish(new PrepareDataset("d-1", "birds"));
            await transaction.Publish(new PrepareDataset("d-2", "birds"));
        }, default);

        seen.ShouldBe([2]);
    }

    [Fact]
    public async Task Messages_leave_the_outbox_in_the_order_in_which_a_transaction_put_them_there_and_once_marked_never_again()
    {
        using var database = await databases.Open();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => database.Write(async transaction =>
        {
            await transaction.Publish(new PrepareDataset($"{i}", "first"));
            await transaction.Publish(new PrepareDataset($"{i}", "second"));
        }, default)));

        var messages = await database.Unsent(100, default);
        messages.Select(message => message.Id).ShouldBeInOrder();
        messages.Select(message => message.MessageId).ShouldBeUnique();
        // Transactions that run side by side may interleave; the messages of one keep their order.
        foreach (var drop in Enumerable.Range(0, 20))
            messages.Where(message => message.BodyJson.Contains($"\"{drop}\"", StringComparison.Ordinal)).Select(message => message.BodyJson.Contains("first", StringComparison.Ordinal)).ShouldBe([true, false]);

        await database.MarkSent([.. messages.Take(3).Select(message => message.Id)], default);
        (await database.Unsent(2, default)).ShouldBe(messages.Skip(3).Take(2));
    }

    [Fact]
    public async Task A_message_is_received_once_by_each_consumer()
    {
        using var database = await databases.Open();
        var message = Guid.NewGuid();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            Task.Run(() => database.Write(transaction => transaction.Receive(message, i < 8 ? "a" : "b"), default))));

        answers.Count(taken => taken).ShouldBe(2);
        answers.Take(8).Count(taken => taken).ShouldBe(1);
        (await database.Write(transaction => transaction.Receive(message, "a"), default)).ShouldBeFalse();
        (await database.Write(transaction => transaction.Receive(Guid.NewGuid(), "a"), default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Writers_from_two_processes_lose_no_update()
    {
        using var one = await databases.Open();
        using var two = await databases.Open();
        await one.Write(transaction => transaction.Enqueue("count", "a"), default);

        // Read, then write: lost as soon as two transactions overlap.
        await Task.WhenAll(new[] { one, two }.SelectMany(database => Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
                await database.Write(async transaction =>
                {
                    var priority = await transaction.QueryOne<int>("select priority from jobs");
                    await transaction.Execute("update jobs set priority = @next", new { next = priority + 1 });
                }, default);
        }))));

        (await two.QueryOne<int>("select priority from jobs", null, default)).ShouldBe(80);
    }

    [Fact]
    public async Task Readers_go_on_while_a_transaction_is_open()
    {
        using var database = await databases.Open();
        await database.Write(async transaction =>
        {
            await transaction.Enqueue("train", "a");
            (await database.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(0);
        }, default);

        (await database.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(1);
    }

    [Fact]
    public async Task Only_old_messages_are_forgotten_and_unsent_ones_never()
    {
        using var database = await databases.Open();
        var received = Guid.NewGuid();
        await database.Write(async transaction =>
        {
            await transaction.Receive(received, "a");
            foreach (var drop in new[] { "sent", "unsent" }) await transaction.Publish(new PrepareDataset(drop, "birds"));
        }, default);
        await database.MarkSent([(await database.Unsent(1, default))[0].Id], default);

        await database.ForgetBefore(DateTimeOffset.UtcNow.AddMinutes(-1), default);
        (await Rows()).ShouldBe((2, 1));

        await database.ForgetBefore(DateTimeOffset.UtcNow.AddMinutes(1), default);
        (await Rows()).ShouldBe((1, 0));
        (await database.Unsent(10, default)).ShouldHaveSingleItem().BodyJson.ShouldContain("unsent");

        Task<(int, int)> Rows() => database.QueryOne<(int, int)>("select (select count(*) from outbox), (select count(*) from inbox)", null, default);
    }

    /// <summary>The signal is synchronous.</summary>
    private static int Count(Database database) => database.QueryOne<int>("select count(*) from outbox", null, default).GetAwaiter().GetResult();
}
