using System.Data;
using System.Data.Common;
using System.Diagnostics;
using Npgsql;

namespace DmlPipeline.Storage.Engines;

/// <summary>
/// PostgreSQL. Transactions are serialisable, so that what was written for SQLite, where one follows the other, means the same here;
/// one that got in another's way is repeated.
/// </summary>
internal sealed class PostgresEngine : DatabaseEngine
{
    private static readonly TimeSpan WaitForServer = TimeSpan.FromSeconds(30);

    private readonly NpgsqlDataSource source;
    private readonly string connectionString;

    public PostgresEngine(NpgsqlConnectionStringBuilder address)
    {
        address.CommandTimeout = 60;
        address.KeepAlive = 30;
        address.ApplicationName ??= "dml";
        // What is set on a connection stays right for whoever has it next.
        address.NoResetOnClose = true;
        connectionString = address.ConnectionString;
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.UsePhysicalConnectionInitializer(Prepare, PrepareAsync);
        source = builder.Build();
    }

    public override (DbProviderFactory Factory, string ConnectionString) Provider => (NpgsqlFactory.Instance, connectionString);

    public override string ScriptSuffix => ".postgres.sql";

    public override bool WritesOneAtATime => false;

    public override string SkipLocked => "for update skip locked";

    public override string Joined(string expression) => $"string_agg({expression}, ',')";

    public override string IsAnyOf(string parameter) => $"= any({parameter})";

    public override async Task<DbConnection> Connect(CancellationToken cancel)
    {
        var patience = new Patience(WaitForServer);
        while (true)
        {
            try
            {
                return await Asked(await source.OpenConnectionAsync(cancel), cancel);
            }
            catch (NpgsqlException e) when (e.IsTransient && !cancel.IsCancellationRequested)
            {
                // A server that restarts is waited for: nothing has been done yet that could be done twice.
                if (!await patience.Wait(cancel)) throw;
            }
        }
    }

    public override async Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel) =>
        await connection.BeginTransactionAsync(IsolationLevel.Serializable, cancel);

    public override async Task<DbTransaction> BeginStatement(DbConnection connection, CancellationToken cancel) =>
        await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);

    public override bool MayRepeat(Exception error, bool whileCommitting) => error switch
    {
        // In another's way; undone for certain, also when it shows at the commit.
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } => true,
        // Given up by the server, because this process was silent for too long amid the transaction.
        PostgresException { SqlState: "25P03" } => true,
        NpgsqlException lost => lost.IsTransient && !whileCommitting,
        _ => false,
    };

    public override async Task<int> LockSchema(Transaction transaction)
    {
        await transaction.Execute("select pg_advisory_xact_lock(hashtext('dmlpipeline ' || current_schema()))");
        // Asked first, because even `if not exists` wants the right to create: services go without it where another role owns the tables.
        if (!await transaction.QueryOne<bool>("select to_regclass('schema_version') is not null"))
            await transaction.Execute("create table schema_version (scripts integer not null)");
        return await transaction.QueryOne<int?>("select scripts from schema_version") ?? 0;
    }

    public override async Task SetSchema(Transaction transaction, int scripts)
    {
        await transaction.Execute("delete from schema_version");
        await transaction.Execute("insert into schema_version (scripts) values (@scripts)", new { scripts });
    }

    public override void Dispose() => source.Dispose();

    /// <summary>The connection, asked for the time when that is due.</summary>
    private static async Task<NpgsqlConnection> Asked(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (!PipelineClock.Shared.IsDue) return connection;
        try
        {
            var asked = Stopwatch.GetTimestamp();
            await using var command = new NpgsqlCommand("select (extract(epoch from clock_timestamp()) * 1000)::bigint", connection);
            PipelineClock.Shared.Follow((long)(await command.ExecuteScalarAsync(cancel))!, asked);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private const string Settings =
        // A scan of a whole table gets in the way of everyone who writes to it; through an index, a transaction meets only those that touch
        // the same rows. Tables here are small enough for the planner to prefer the scan.
        "set enable_seqscan = off; "
        // A scan that cannot be avoided now has an estimate that nothing else has, for which the planner would compile the query and start
        // processes: ten times the milliseconds that it takes to run.
        + "set jit = off; set max_parallel_workers_per_gather = 0; "
        // A process that froze, or whose machine lost its power, amid a transaction keeps its locks, on the job that others wait to take over
        // for example, until the server notices: after two hours, unless it is told not to wait for silent ones.
        + "set idle_in_transaction_session_timeout = '60s'";

    private static void Prepare(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(Settings, connection);
        command.ExecuteNonQuery();
    }

    private static async Task PrepareAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(Settings, connection);
        await command.ExecuteNonQueryAsync();
    }
}
