using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Storage;

/// <summary>
/// Tables for as long as one piece of work takes, so that it may be larger than memory. They lie in a file without a name, whose room is
/// free again when this is disposed, also by the death of its process. Nothing in it is ever undone. Thread-safe but for its being disposed.
/// </summary>
public sealed class ScratchDatabase : IDisposable
{
    private static readonly Lock Once = new();
    private static bool sortsInFolder;

    private readonly SqliteConnection connection;
    private readonly List<ScratchStatement> statements = [];

    /// <param name="folder">Where there is room. The first one of a process also takes what is sorted.</param>
    public ScratchDatabase(string folder)
    {
        SystemSqlite.Use();
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "dml-" + Guid.NewGuid().ToString("N"));
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            lock (Once)
            {
                if (!sortsInFolder) Execute($"pragma temp_store_directory = '{folder.Replace("'", "''", StringComparison.Ordinal)}'");
                sortsInFolder = true;
            }
            // 16 MiB of pages in memory. What is in the file is lost with the process in any case, so nothing is written twice.
            Execute("pragma cache_size = -16384; pragma journal_mode = off; pragma synchronous = off; pragma secure_delete = off; pragma locking_mode = exclusive; pragma temp_store = file; begin");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Execute(string sql)
    {
        lock (connection)
        {
            using var command = Command(sql, []);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>A statement that is run again and again.</summary>
    /// <param name="sql">Its values are <c>$1</c>, <c>$2</c> and so on.</param>
    public ScratchStatement Prepare(string sql)
    {
        lock (connection)
        {
            var statement = new ScratchStatement(Command(sql, []), connection);
            statements.Add(statement);
            return statement;
        }
    }

    /// <summary>The rows of an answer, one at a time. Tables that it does not read may be written meanwhile.</summary>
    /// <param name="sql">The question.</param>
    /// <param name="read">Makes something of a row.</param>
    /// <param name="values">The question's <c>$1</c>, <c>$2</c> and so on.</param>
    public IEnumerable<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params object?[] values)
    {
        SqliteCommand command;
        SqliteDataReader reader;
        lock (connection)
        {
            command = Command(sql, values);
            reader = command.ExecuteReader();
        }
        try
        {
            while (Next(out var row)) yield return row;
        }
        finally
        {
            lock (connection)
            {
                reader.Dispose();
                command.Dispose();
            }
        }

        bool Next([MaybeNullWhen(false)] out T row)
        {
            lock (connection)
            {
                var more = reader.Read();
                row = more ? read(reader) : default;
                return more;
            }
        }
    }

    public void Dispose()
    {
        foreach (var statement in statements) statement.Dispose();
        connection.Dispose();
    }

    internal static void Bind(SqliteCommand command, ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (i == command.Parameters.Count) command.Parameters.Add(new SqliteParameter($"${i + 1}", null));
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        Bind(command, values);
        return command;
    }
}

/// <summary>One statement of a <see cref="ScratchDatabase"/>.</summary>
public sealed class ScratchStatement : IDisposable
{
    private readonly SqliteCommand command;
    private readonly SqliteConnection connection;

    internal ScratchStatement(SqliteCommand command, SqliteConnection connection) => (this.command, this.connection) = (command, connection);

    /// <returns>Number of rows that it changed.</returns>
    public int Run(params ReadOnlySpan<object?> values)
    {
        lock (connection)
        {
            ScratchDatabase.Bind(command, values);
            return command.ExecuteNonQuery();
        }
    }

    /// <returns>The first value of the first row; null when there is none.</returns>
    public object? Value(params ReadOnlySpan<object?> values)
    {
        lock (connection)
        {
            ScratchDatabase.Bind(command, values);
            return command.ExecuteScalar() is var value and not DBNull ? value : null;
        }
    }

    public void Dispose() => command.Dispose();
}
