namespace DmlPipeline.Storage;

public sealed record OutboxMessage(long Id, string MessageId, string Type, string BodyJson);

/// <summary>Messages that wait to be sent, in the order in which they were committed.</summary>
public static class Outbox
{
    public static async Task<IReadOnlyList<OutboxMessage>> Unsent(this Database database, int limit, CancellationToken cancel) =>
        [.. await database.Query<OutboxMessage>(
            "select id, message_id as messageId, type, body_json as bodyJson from outbox where sent_at is null order by id limit @limit", new { limit }, cancel)];

    public static Task MarkSent(this Database database, IReadOnlyCollection<long> ids, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute($"update outbox set sent_at = @now where id {database.IsAnyOf("@ids")}", new { now = Database.Now, ids }), cancel);

    /// <summary>Forgets messages, sent or received, that are older than any redelivery could be.</summary>
    public static Task ForgetBefore(this Database database, DateTimeOffset time, CancellationToken cancel) =>
        database.Write(async transaction =>
        {
            var before = new { before = time.ToUnixTimeMilliseconds() };
            await transaction.Execute("delete from outbox where sent_at < @before", before);
            await transaction.Execute("delete from inbox where received_at < @before", before);
        }, cancel);
}
