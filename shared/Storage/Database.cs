using System.Reflection;
using Dapper;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Storage;

/// <summary>
/// The pipeline's state: SQLite in WAL mode. Reads run side by side; writes are serialised in the process, so that none of them
/// waits on SQLite's own lock except for another process.
/// </summary>
public sealed class Database : IDisposable
{
    private readonly string connectionString;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly AsyncLocal<OpenWrite?> openWrite = new();

    private Database(string connectionString) => this.connectionString = connectionString;

    /// <summary>Called after a transaction that put messages into the outbox was committed.</summary>
    public Action? OutboxFilled { get; set; }

    /// <summary>Opens the database file, creating it and bringing its schema up to date.</summary>
    public static async Task<Database> Open(string path, CancellationToken cancel)
    {
        SystemSqlite.Use();
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var builder = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60 };
        var database = new Database(builder.ToString());
        await database.Migrate(cancel);
        return database;
    }

    public static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public async Task<T> Read<T>(Func<SqliteConnection, Task<T>> query, CancellationToken cancel)
    {
        await using var connection = await Connect(cancel);
        return await query(connection);
    }

    public Task<IEnumerable<T>> Query<T>(string sql, object? arguments, CancellationToken cancel) =>
        Read(connection => connection.QueryAsync<T>(new CommandDefinition(sql, arguments, cancellationToken: cancel)), cancel);

    public Task<T?> QueryOne<T>(string sql, object? arguments, CancellationToken cancel) =>
        Read(connection => connection.QueryFirstOrDefaultAsync<T>(new CommandDefinition(sql, arguments, cancellationToken: cancel)), cancel);

    /// <summary>Runs the work in one transaction: all of it is there afterwards, or nothing.</summary>
    /// <exception cref="InvalidOperationException">The work itself calls Write, which would wait for itself.</exception>
    public async Task<T> Write<T>(Func<Transaction, Task<T>> work, CancellationToken cancel)
    {
        if (openWrite.Value is { IsOpen: true })
            throw new InvalidOperationException("A transaction is open here already: use it, instead of asking for another one inside it.");
        Transaction transaction;
        T result;
        await writing.WaitAsync(cancel);
        var open = new OpenWrite { IsOpen = true };
        openWrite.Value = open;
        try
        {
            await using var connection = await Connect(cancel);
            await using var native = connection.BeginTransaction(deferred: false);
            transaction = new Transaction(connection, native, cancel);
            result = await work(transaction);
            await native.CommitAsync(cancel);
        }
        finally
        {
            open.IsOpen = false;
            writing.Release();
        }
        if (transaction.Published > 0) OutboxFilled?.Invoke();
        return result;
    }

    public Task Write(Func<Transaction, Task> work, CancellationToken cancel) =>
        Write(async transaction =>
        {
            await work(transaction);
            return true;
        }, cancel);

    public void Dispose()
    {
        writing.Dispose();
        using var connection = new SqliteConnection(connectionString);
        SqliteConnection.ClearPool(connection);
    }

    // An object, not a flag: what was started inside the work keeps seeing it and must find it closed afterwards.
    private sealed class OpenWrite
    {
        public bool IsOpen { get; set; }
    }

    private async Task<SqliteConnection> Connect(CancellationToken cancel)
    {
        var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync(cancel);
        // WAL keeps a committed transaction through a killed process; FULL keeps it through a power cut as well.
        await connection.ExecuteAsync("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
        return connection;
    }

    private async Task Migrate(CancellationToken cancel)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var scripts = assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sqlite.sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        await Write(async transaction =>
        {
            var done = await transaction.QueryOne<int>("pragma user_version");
            if (done > scripts.Length)
                throw new InvalidOperationException($"The database has schema {done}, but this program knows only {scripts.Length}: it was written by a newer version. Update DmlPipeline.");
            for (var i = done; i < scripts.Length; i++)
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(scripts[i])!);
                await transaction.Execute(await reader.ReadToEndAsync(cancel));
                await transaction.Execute($"pragma user_version = {i + 1}");
            }
        }, cancel);
    }
}
