namespace DmlPipeline.Storage;

/// <param name="Id">Counts up as messages are published.</param>
/// <param name="MessageId">By which consumers know it again.</param>
/// <param name="Type">Name of the message type.</param>
/// <param name="BodyJson">The message.</param>
/// <param name="Trace">W3C trace context of what published it; null when nobody traced that.</param>
public sealed record OutboxMessage(long Id, string MessageId, string Type, string BodyJson, string? Trace);

/// <summary>Messages that wait to be sent, in the order in which they were committed.</summary>
public static class Outbox
{
    public static async Task<IReadOnlyList<OutboxMessage>> Unsent(this Database database, int limit, CancellationToken cancel) =>
        [.. await database.Query<OutboxMessage>(
            "select id, message_id as messageId, type, body_json as bodyJson, trace from outbox where sent_at is null order by id limit @limit", new { limit }, cancel)];

    /// <summary>Takes unsent messages that nobody else is about to send. A claim that is neither marked sent nor given back runs out.</summary>
    public static async Task<IReadOnlyList<OutboxMessage>> Claim(this Database database, int limit, TimeSpan claim, CancellationToken cancel)
    {
        const string free = "sent_at is null and claimed_until < @now";
        // Looked at without the write lock first: an idle dispatcher must not disturb the others.
        if (await database.QueryOne<long?>($"select id from outbox where {free} limit 1", new { now = Database.Now }, cancel) is null) return [];
        var claimed = await database.WriteStatement(transaction => transaction.Query<OutboxMessage>(
            $"""
            update outbox set claimed_until = @until where id in (select id from outbox where {free} order by id limit @limit {database.SkipLocked})
            returning id, message_id as messageId, type, body_json as bodyJson, trace
            """,
            new { limit, now = Database.Now, until = Database.Now + (long)claim.TotalMilliseconds }), cancel);
        return [.. claimed.OrderBy(message => message.Id)];
    }

    /// <summary>Gives claimed messages back at once.</summary>
    public static Task Unclaim(this Database database, IReadOnlyCollection<long> ids, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute($"update outbox set claimed_until = 0 where sent_at is null and id {database.IsAnyOf("@ids")}", new { ids }), cancel);

    /// <summary>Ends every claim. Only for a process that knows that no other works on this database.</summary>
    public static Task UnclaimAll(this Database database, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute("update outbox set claimed_until = 0 where sent_at is null and claimed_until > 0"), cancel);

    public static Task MarkSent(this Database database, IReadOnlyCollection<long> ids, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute($"update outbox set sent_at = @now where id {database.IsAnyOf("@ids")}", new { now = Database.Now, ids }), cancel);

    /// <summary>Forgets messages, sent or received, and what webhooks were told, that are older than any redelivery could be; and workers that were killed before they could leave.</summary>
    public static async Task ForgetBefore(this Database database, DateTimeOffset time, CancellationToken cancel)
    {
        // Statements of their own: looking through all messages in a transaction would be in the way of everyone who sends one.
        var before = new { before = time.ToUnixTimeMilliseconds(), oldest = $"{time.ToUnixTimeMilliseconds():x12}" };
        await database.WriteStatement(transaction => transaction.Execute("delete from outbox where sent_at < @before", before), cancel);
        await database.WriteStatement(transaction => transaction.Execute("delete from inbox where received_at < @before", before), cancel);
        // Ids begin with their time. What was given up stays until it is sent again, or its webhook goes.
        await database.WriteStatement(
            transaction => transaction.Execute(
                "delete from webhook_deliveries where id < @oldest and (state = 'delivered' or webhook_id in (select id from webhooks where removed_at is not null))", before),
            cancel);
        await database.WriteStatement(transaction => transaction.Execute("delete from workers where seen_at < @before", before), cancel);
    }
}
