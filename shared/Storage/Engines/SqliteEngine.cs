using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Storage.Engines;

/// <summary>SQLite in WAL mode: readers run beside the one that writes.</summary>
internal sealed class SqliteEngine : DatabaseEngine
{
    private readonly string connectionString;

    public SqliteEngine(string path)
    {
        SystemSqlite.Use();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60 }.ToString();
    }

    public override (DbProviderFactory Factory, string ConnectionString) Provider => (SqliteFactory.Instance, connectionString);

    public override string ScriptSuffix => ".sqlite.sql";

    public override bool WritesOneAtATime => true;

    public override string SkipLocked => "";

    public override string Joined(string expression) => $"group_concat({expression}, ',')";

    // Dapper writes the values out.
    public override string IsAnyOf(string parameter) => $"in {parameter}";

    public override async Task<DbConnection> Connect(CancellationToken cancel)
    {
        var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync(cancel);
        // WAL keeps a committed transaction through a killed process; FULL keeps it through a power cut as well.
        await connection.ExecuteAsync("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
        return connection;
    }

    public override Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: false));

    public override Task<DbTransaction> BeginStatement(DbConnection connection, CancellationToken cancel) => Begin(connection, cancel);

    // Transactions that wait for the write lock are begun with it: none is undone for another's sake.
    public override bool MayRepeat(Exception error, bool whileCommitting) => false;

    public override Task<int> LockSchema(Transaction transaction) => transaction.QueryOne<int>("pragma user_version");

    public override Task SetSchema(Transaction transaction, int scripts) => transaction.Execute($"pragma user_version = {scripts}");

    public override void Dispose()
    {
        using var connection = new SqliteConnection(connectionString);
        SqliteConnection.ClearPool(connection);
    }
}
