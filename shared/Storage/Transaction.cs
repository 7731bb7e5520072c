using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Dapper;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <summary>One open write transaction. What it publishes is sent after, and only if, it commits.</summary>
public sealed class Transaction
{
    private readonly DbConnection connection;
    private readonly DbTransaction native;
    private readonly CancellationToken cancel;

    internal Transaction(DbConnection connection, DbTransaction native, CancellationToken cancel)
    {
        this.connection = connection;
        this.native = native;
        this.cancel = cancel;
    }

    internal int Published { get; private set; }

    public Task<int> Execute(string sql, object? arguments = null) => connection.ExecuteAsync(Command(sql, arguments));

    public Task<IEnumerable<T>> Query<T>(string sql, object? arguments = null) => connection.QueryAsync<T>(Command(sql, arguments));

    /// <summary>The rows of an answer one at a time, however many they are; nothing else is asked meanwhile.</summary>
    public async IAsyncEnumerable<T> Stream<T>(string sql, object? arguments, Func<DbDataReader, T> read)
    {
        await using var reader = await connection.ExecuteReaderAsync(Command(sql, arguments));
        while (await reader.ReadAsync(cancel)) yield return read(reader);
    }

    public Task<T?> QueryOne<T>(string sql, object? arguments = null) => connection.QueryFirstOrDefaultAsync<T>(Command(sql, arguments));

    /// <summary>Puts a message into the outbox, with the trace that it belongs to, and in the queue of every webhook that is to be told.</summary>
    public async Task Publish<T>(T message) where T : class
    {
        var (id, body) = (Guid.CreateVersion7().ToString(), JsonSerializer.Serialize(message, ContractJson.Compact));
        await Execute(
            "insert into outbox (message_id, type, body_json, trace, created_at) values (@id, @type, @body, @trace, @now)",
            new
            {
                id, type = typeof(T).Name, body, trace = Activity.Current?.Id, now = Database.Now,
            });
        await Webhooks.Deliver(this, typeof(T).Name, message, id, body);
        Published++;
    }

    /// <summary>Remembers that this consumer takes this message.</summary>
    /// <returns>False when it took it before.</returns>
    public async Task<bool> Receive(Guid messageId, string consumer) =>
        await Execute(
            "insert into inbox (message_id, consumer, received_at) values (@id, @consumer, @now) on conflict do nothing",
            new { id = messageId.ToString(), consumer, now = Database.Now }) == 1;

    private CommandDefinition Command(string sql, object? arguments) => new(sql, arguments, native, cancellationToken: cancel);
}
