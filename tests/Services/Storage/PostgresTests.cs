using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>What only a database server can do wrong.</summary>
public sealed class PostgresTests : IAsyncLifetime
{
    private readonly PostgresTestDatabase databases = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await databases.DisposeAsync();

    [Fact]
    public async Task A_transaction_whose_connection_breaks_is_repeated_from_its_beginning()
    {
        using var database = await databases.Open();
        var attempts = 0;

        await database.Write(async transaction =>
        {
            await transaction.Enqueue("train", "a");
            if (++attempts == 1) await PostgresTestDatabase.Run($"select pg_terminate_backend({await transaction.QueryOne<int>("select pg_backend_pid()")})");
            await transaction.Enqueue("train", "b");
        }, default);

        attempts.ShouldBe(2);
        (await database.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(2);
    }

    [Fact]
    public async Task A_transaction_that_was_frozen_loses_its_locks_and_is_repeated_when_it_goes_on()
    {
        using var database = await databases.Open();
        (await database.QueryOne<string>("show idle_in_transaction_session_timeout", null, default)).ShouldBe("1min");
        var attempts = 0;

        await database.Write(async transaction =>
        {
            await transaction.Enqueue("train", "a");
            if (++attempts > 1) return;
            var process = await transaction.QueryOne<int>("select pg_backend_pid()");
            await transaction.Execute("set idle_in_transaction_session_timeout = '50ms'");
            await Eventually.Holds(
                async () => await database.QueryOne<int>("select count(*) from pg_stat_activity where pid = @process", new { process }, default) == 0, "the server gave up on the transaction");
            await transaction.Enqueue("train", "b");
        }, default);

        attempts.ShouldBe(2);
        (await database.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(1);
    }

    [Fact]
    public async Task A_question_is_answered_and_not_compiled_first()
    {
        using var database = await databases.Open();

        // Without an index to go by: whatever the planner estimates for that is beyond all limits.
        var plan = await database.Query<string>("explain (analyze, costs on) select count(*) from jobs a, jobs b where a.error = b.error", null, default);

        string.Join('\n', plan).ShouldContain("Execution Time");
        string.Join('\n', plan).ShouldNotContain("JIT");
    }

    [Fact]
    public async Task Connections_that_broke_while_nobody_used_them_are_replaced()
    {
        using var database = await databases.Open();
        var process = await database.QueryOne<int>("select pg_backend_pid()", null, default);
        await PostgresTestDatabase.Run($"select pg_terminate_backend({process})");

        await database.Write(transaction => transaction.Enqueue("train", "a"), default);
    }

    [Fact]
    public async Task A_question_whose_connection_breaks_is_asked_again()
    {
        using var database = await databases.Open();
        var process = await database.QueryOne<int>("select pg_backend_pid()", null, default);
        await PostgresTestDatabase.Run($"select pg_terminate_backend({process})");

        (await database.QueryOne<int>("select pg_backend_pid()", null, default)).ShouldNotBe(process);
    }

    [Fact]
    public async Task Of_two_transactions_that_get_in_each_others_way_one_sees_what_the_other_did()
    {
        using var database = await databases.Open();
        using var bothRead = new Barrier(2);
        var attempts = 0;

        // Each looks whether the other is there before it comes in: side by side, both would.
        var results = await Task.WhenAll(new[] { "a", "b" }.Select(subject => Task.Run(() => database.Write(async transaction =>
        {
            var others = await transaction.QueryOne<int>("select count(*) from jobs");
            if (Interlocked.Increment(ref attempts) <= 2) bothRead.SignalAndWait();
            if (others == 0) await transaction.Enqueue("train", subject);
            return others;
        }, default))));

        attempts.ShouldBe(3);
        results.Order().ShouldBe([0, 1]);
    }

    [Fact]
    public async Task Names_order_by_their_bytes_as_in_SQLite()
    {
        using var database = await databases.Open();
        await database.Write(async transaction =>
        {
            foreach (var subject in new[] { "b", "B", "a-b", "a/b", "ab", "é" }) await transaction.Enqueue("train", subject);
        }, default);

        (await database.Query<string>("select subject from jobs order by subject", null, default)).ShouldBe(["B", "a-b", "a/b", "ab", "b", "é"]);
    }

    [Fact]
    public async Task A_wrong_setting_is_named()
    {
        var (address, user, password) = await PostgresTestDatabase.Server();

        await Refused(address, user, "wrong", "database-password", $"does not accept the password of '{user}'");
        await Refused(address, "nobody", password, "database-password", "or database-user");
        await Refused($"{address}x", user, password, "database", "has no database 'dmlx'. Create it");
        await Refused("postgres://127.0.0.1:1/dml", user, password, "database", "PostgreSQL at 127.0.0.1:1 gives no answer");
        await Refused($"{address}?searchpath=nowhere", user, password, "database", "has no schema 'nowhere'");
        await Refused("postgres://127.0.0.1", user, password, "database", "is no address of a database: write postgres://");
        await Refused($"{address}?colour=red", user, password, "database", "'colour=red' is no option");
    }

    [Fact]
    public async Task A_user_who_may_not_create_tables_works_with_those_that_their_owner_has_made()
    {
        var (address, _, _) = await PostgresTestDatabase.Server();
        var user = $"user_{Guid.NewGuid():N}";
        await databases.CreateSchema();
        await PostgresTestDatabase.Run($"create role {user} login password 'secret'; grant usage on schema {databases.SchemaName} to {user}");
        try
        {
            await Refused($"{address}?searchpath={databases.SchemaName}", user, "secret", "database-user", $"'{user}' may not create tables");

            using (await databases.Open()) await PostgresTestDatabase.Run($"grant select on all tables in schema {databases.SchemaName} to {user}; grant insert on {databases.SchemaName}.jobs to {user}");
            using var database = await Database.Open($"{address}?searchpath={databases.SchemaName}&pooling=false", user, "secret", default);

            await database.Write(transaction => transaction.Enqueue("train", "a"), default);
            (await database.QueryOne<int>("select count(*) from jobs", null, default)).ShouldBe(1);
        }
        finally
        {
            await PostgresTestDatabase.Run($"drop owned by {user}; drop role {user}");
        }
    }

    [Fact]
    public async Task A_password_in_the_address_is_refused_and_not_repeated()
    {
        var error = await Should.ThrowAsync<DatabaseException>(Database.Open("postgres://me:hunter2@127.0.0.1/dml", null, null, default));

        error.Message.ShouldNotContain("hunter2");
        error.Message.ShouldContain("database-password");
    }

    private static async Task Refused(string location, string user, string password, string setting, string expected)
    {
        var error = await Should.ThrowAsync<DatabaseException>(Database.Open(location, user, password, default));

        error.Setting.ShouldBe(setting);
        error.Message.ShouldContain(expected);
    }
}
