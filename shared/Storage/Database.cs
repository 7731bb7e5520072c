using System.Data.Common;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Dapper;
using DmlPipeline.Storage.Engines;
using Npgsql;

namespace DmlPipeline.Storage;

/// <summary>
/// The pipeline's state, in a SQLite file or a PostgreSQL database. Reads run side by side; a write transaction has the effect that it
/// would have if no other ran beside it.
/// </summary>
public sealed class Database : IDisposable
{
    private static readonly TimeSpan RepeatWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly DatabaseEngine engine;
    private readonly SemaphoreSlim writing;
    private readonly AsyncLocal<OpenWrite?> openWrite = new();

    private Database(DatabaseEngine engine)
    {
        this.engine = engine;
        writing = engine.WritesOneAtATime ? new SemaphoreSlim(1, 1) : new SemaphoreSlim(int.MaxValue);
    }

    /// <summary>Called after a transaction that put messages into the outbox was committed.</summary>
    public Action? OutboxFilled { get; set; }

    /// <summary>Ends a subquery that picks rows to update, so that two who pick at once pick different ones.</summary>
    public string SkipLocked => engine.SkipLocked;

    /// <summary>Opens the database file, creating it and bringing its schema up to date.</summary>
    public static Task<Database> Open(string path, CancellationToken cancel) => Open(path, user: null, password: null, cancel);

    /// <summary>Opens a database and brings its schema up to date.</summary>
    /// <param name="location">The path of a SQLite file, which is created, or <c>postgres://host[:port]/database</c>, which must exist.</param>
    /// <param name="user">For PostgreSQL.</param>
    /// <param name="password">For PostgreSQL.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="DatabaseException">PostgreSQL cannot be reached or refuses; it names the setting.</exception>
    public static async Task<Database> Open(string location, string? user, string? password, CancellationToken cancel)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        if (!PostgresAddress.IsOne(location)) return await Open(new SqliteEngine(location), cancel);
        var address = PostgresAddress.Parse(location, user, password);
        try
        {
            await Greet(address, cancel);
            return await Open(new PostgresEngine(address), cancel);
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException)
        {
            ExceptionDispatchInfo.Throw(PostgresAddress.Explain(e, address) ?? e);
            throw;
        }
    }

    /// <summary>
    /// What the whole process goes by, also to decide and to fire: the database server's time where there is a server. A simulation sets
    /// another before it opens anything.
    /// </summary>
    public static TimeProvider Clock { get; set; } = PipelineClock.Shared;

    /// <summary>Unix milliseconds, the same in every process that shares a PostgreSQL database, however wrong their machines' clocks are.</summary>
    public static long Now => Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether others on other machines may use it at the same time.</summary>
    public bool IsPostgres => engine is PostgresEngine;

    /// <summary>For a library that keeps tables of its own here: what makes connections, and what they are told, the password included.</summary>
    public (DbProviderFactory Factory, string ConnectionString) Provider => engine.Provider;

    /// <summary>An aggregate for SQL: the texts, with commas between them.</summary>
    public string Joined(string expression) => engine.Joined(expression);

    /// <summary>A condition for SQL: the value before it is one of those in the parameter, a list of numbers or texts.</summary>
    public string IsAnyOf(string parameter) => engine.IsAnyOf(parameter);

    /// <summary>Asks without changing anything: when the connection breaks, it is asked again.</summary>
    public async Task<T> Read<T>(Func<DbConnection, Task<T>> query, CancellationToken cancel)
    {
        var patience = new Patience(RepeatWithin, FirstPause, LongestPause);
        while (true)
        {
            try
            {
                await using var connection = await engine.Connect(cancel);
                return await query(connection);
            }
            catch (Exception e) when (engine.MayRepeat(e, whileCommitting: false) && !cancel.IsCancellationRequested)
            {
                if (!await patience.Wait(cancel)) throw;
            }
        }
    }

    public Task<IEnumerable<T>> Query<T>(string sql, object? arguments, CancellationToken cancel) =>
        Read(connection => connection.QueryAsync<T>(new CommandDefinition(sql, arguments, cancellationToken: cancel)), cancel);

    public Task<T?> QueryOne<T>(string sql, object? arguments, CancellationToken cancel) =>
        Read(connection => connection.QueryFirstOrDefaultAsync<T>(new CommandDefinition(sql, arguments, cancellationToken: cancel)), cancel);

    /// <summary>The rows of an answer one at a time, however many they are. When the connection breaks, that is not begun again.</summary>
    public async IAsyncEnumerable<T> Stream<T>(string sql, object? arguments, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var connection = await engine.Connect(cancel);
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(sql, arguments, cancellationToken: cancel));
        while (await reader.ReadAsync(cancel)) yield return read(reader);
    }

    /// <summary>
    /// Runs the work in one transaction: all of it is there afterwards, or nothing. When another transaction got in its way, or the
    /// connection broke, the work runs again from its beginning.
    /// </summary>
    /// <exception cref="InvalidOperationException">The work itself calls Write, which would wait for itself.</exception>
    public Task<T> Write<T>(Func<Transaction, Task<T>> work, CancellationToken cancel) => Write(work, engine.Begin, cancel);

    /// <inheritdoc cref="Write{T}(Func{Transaction, Task{T}}, CancellationToken)"/>
    public Task Write(Func<Transaction, Task> work, CancellationToken cancel) =>
        Write(async transaction =>
        {
            await work(transaction);
            return true;
        }, cancel);

    /// <summary>
    /// As Write, for work that is one statement and needs no more than the locks on the rows that it changes: it gets in nobody's way.
    /// </summary>
    public Task<T> WriteStatement<T>(Func<Transaction, Task<T>> statement, CancellationToken cancel) => Write(statement, engine.BeginStatement, cancel);

    public void Dispose()
    {
        writing.Dispose();
        engine.Dispose();
    }

    // An object, not a flag: what was started inside the work keeps seeing it and must find it closed afterwards.
    private sealed class OpenWrite
    {
        public bool IsOpen { get; set; }

        public bool IsCommitting { get; set; }
    }

    private async Task<T> Write<T>(Func<Transaction, Task<T>> work, Func<DbConnection, CancellationToken, Task<DbTransaction>> begin, CancellationToken cancel)
    {
        if (openWrite.Value is { IsOpen: true })
            throw new InvalidOperationException("A transaction is open here already: use it, instead of asking for another one inside it.");
        var patience = new Patience(RepeatWithin, FirstPause, LongestPause);
        while (true)
        {
            var open = new OpenWrite();
            try
            {
                return await WriteOnce(work, begin, open, cancel);
            }
            catch (Exception e) when (engine.MayRepeat(e, open.IsCommitting) && !cancel.IsCancellationRequested)
            {
                if (!await patience.Wait(cancel)) throw;
            }
        }
    }

    private async Task<T> WriteOnce<T>(Func<Transaction, Task<T>> work, Func<DbConnection, CancellationToken, Task<DbTransaction>> begin, OpenWrite open, CancellationToken cancel)
    {
        Transaction transaction;
        T result;
        await writing.WaitAsync(cancel);
        open.IsOpen = true;
        openWrite.Value = open;
        try
        {
            await using var connection = await engine.Connect(cancel);
            await using var native = await begin(connection, cancel);
            transaction = new Transaction(connection, native, cancel);
            result = await work(transaction);
            cancel.ThrowIfCancellationRequested();
            // From here on it is not broken off: nobody could tell whether it was committed.
            open.IsCommitting = true;
            await native.CommitAsync(CancellationToken.None);
        }
        finally
        {
            open.IsOpen = false;
            writing.Release();
        }
        if (transaction.Published > 0) OutboxFilled?.Invoke();
        return result;
    }

    private static async Task<Database> Open(DatabaseEngine engine, CancellationToken cancel)
    {
        var database = new Database(engine);
        try
        {
            await database.Migrate(cancel);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>One connection without patience: what is wrong with the address is told at once.</summary>
    private static async Task Greet(NpgsqlConnectionStringBuilder address, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(address.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancel);
    }

    private async Task Migrate(CancellationToken cancel)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var scripts = assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(engine.ScriptSuffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        await WriteStatement(async transaction =>
        {
            var done = await engine.LockSchema(transaction);
            if (done > scripts.Length)
                throw new InvalidOperationException($"The database has schema {done}, but this program knows only {scripts.Length}: it was written by a newer version. Update DmlPipeline.");
            for (var i = done; i < scripts.Length; i++)
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(scripts[i])!);
                await transaction.Execute(await reader.ReadToEndAsync(cancel));
                await engine.SetSchema(transaction, i + 1);
            }
            return scripts.Length;
        }, cancel);
    }
}
