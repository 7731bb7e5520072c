using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Servers;
using Npgsql;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>A database of one test's own, in one of the engines; opened several times it is what several processes see.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    public abstract Task<Database> Open();

    public abstract Task SetSchema(Database database, int scripts);

    public abstract Task<int> Schema(Database database);

    public abstract ValueTask DisposeAsync();
}

public sealed class SqliteTestDatabase : TestDatabase
{
    private readonly TemporaryFolder folder = new();

    public override Task<Database> Open() => folder.OpenDatabase();

    public override Task SetSchema(Database database, int scripts) => database.Write(transaction => transaction.Execute($"pragma user_version = {scripts}"), default);

    public override Task<int> Schema(Database database) => database.QueryOne<int>("pragma user_version", null, default);

    public override ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A schema of its own in the real server: made in a moment, where a database takes a second.</summary>
public sealed class PostgresTestDatabase : TestDatabase
{
    private bool created;

    /// <summary>What it is called in the server.</summary>
    public string SchemaName { get; } = $"test_{Guid.NewGuid():N}";

    /// <summary>Where the server is, with nothing of this test's own.</summary>
    public static async Task<(string Address, string User, string Password)> Server()
    {
        var server = await TestServer.Postgres;
        return ($"postgres://{server["POSTGRES_HOST"]}:{server["POSTGRES_PORT"]}/{server["POSTGRES_DATABASE"]}", server["POSTGRES_USER"], server["POSTGRES_PASSWORD"]);
    }

    public override async Task<Database> Open()
    {
        if (!created) await CreateSchema();
        return await Open($"searchpath={SchemaName}&maxpoolsize=20");
    }

    public async Task CreateSchema()
    {
        // Two that create one schema at once collide in the catalogue, "if not exists" or not.
        await Run($"select pg_advisory_lock(hashtext('{SchemaName}')); create schema if not exists {SchemaName}");
        created = true;
    }

    public static async Task<Database> Open(string options)
    {
        var (address, user, password) = await Server();
        return await Database.Open($"{address}?{options}", user, password, default);
    }

    public override Task SetSchema(Database database, int scripts) => database.Write(transaction => transaction.Execute("update schema_version set scripts = @scripts", new { scripts }), default);

    public override Task<int> Schema(Database database) => database.QueryOne<int>("select scripts from schema_version", null, default);

    public override async ValueTask DisposeAsync()
    {
        if (created) await Run($"drop schema {SchemaName} cascade");
    }

    /// <summary>From outside, as an administrator.</summary>
    public static async Task Run(string sql)
    {
        var server = await TestServer.Postgres;
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = server["POSTGRES_HOST"], Port = int.Parse(server["POSTGRES_PORT"]), Database = server["POSTGRES_DATABASE"],
            Username = server["POSTGRES_USER"], Password = server["POSTGRES_PASSWORD"], Pooling = false,
        };
        await using var connection = new NpgsqlConnection(address.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
