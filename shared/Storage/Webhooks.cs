using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <summary>Somebody else's address that is told of events.</summary>
public sealed record WebhookRow
{
    public required string Id { get; init; }
    public required string Url { get; init; }

    /// <summary>Names of events with commas around each, or <c>*</c> for all.</summary>
    public required string Events { get; init; }

    /// <summary>Only of this dataset or model; null for all.</summary>
    public string? Subject { get; init; }

    /// <summary>Where the secret is: <c>env:NAME</c> or <c>file:PATH</c>, as the registry's process finds it. The secret itself is not kept here.</summary>
    public required string SecretRef { get; init; }

    public required string CreatedBy { get; init; }
    public required long CreatedAt { get; init; }
    public long? RemovedAt { get; init; }
}

/// <summary>One event on its way to one webhook.</summary>
public sealed record WebhookDeliveryRow
{
    public required string Id { get; init; }
    public required string WebhookId { get; init; }
    public required string Event { get; init; }
    public required string BodyJson { get; init; }

    /// <summary><c>queued</c>, <c>delivered</c> or <c>failed</c>: given up after the last attempt.</summary>
    public required string State { get; init; }

    public required long Attempts { get; init; }
    public required long NotBefore { get; init; }

    /// <summary>HTTP status of the last answer; null when there was none.</summary>
    public long? LastStatus { get; init; }

    public string? LastError { get; init; }
    public required long CreatedAt { get; init; }
    public long? DeliveredAt { get; init; }
}

/// <summary>Deliveries are written in the transaction of the event that they tell of: an event that happened is told, and one that did not is not.</summary>
public static class Webhooks
{
    // Of these, one happens once only; when a message is sent again because its consumer was away, nobody is told again.
    private static readonly HashSet<string> Once = new(StringComparer.Ordinal) { nameof(DatasetReady), nameof(ModelTrained) };

    /// <summary>What webhooks may be told of.</summary>
    public static readonly IReadOnlyList<string> Events =
    [
        nameof(DatasetReady), nameof(DatasetRejected), nameof(ModelTrained), nameof(TrainingFailed), nameof(TrainingCancelled),
        nameof(ModelRegistered), nameof(ModelPromoted), nameof(PromotionRefused), nameof(PromotionWaiting),
    ];

    /// <summary>What a test delivery is called.</summary>
    public const string Test = "Test";

    internal static async Task Deliver(Transaction transaction, string type, object message, string messageId, string body)
    {
        if (SubjectOf(message) is not { } subject) return;
        var key = Once.Contains(type) ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(type + body))) : messageId;
        var hooks = await transaction.Query<string>(
            "select id from webhooks where removed_at is null and (events = '*' or events like @event) and (subject is null or subject = @subject)",
            new { @event = $"%,{type},%", subject });
        foreach (var webhook in hooks.ToList()) await transaction.QueueDelivery(webhook, type, key, body);
    }

    /// <summary>Queues a delivery; once for the same key.</summary>
    public static Task<int> QueueDelivery(this Transaction transaction, string webhook, string @event, string key, string body) =>
        transaction.Execute(
            """
            insert into webhook_deliveries (id, webhook_id, event, event_key, body_json, state, attempts, not_before, created_at)
            values (@id, @webhook, @event, @key, @body, 'queued', 0, 0, @now) on conflict do nothing
            """,
            new { id = Guid.CreateVersion7().ToString("N"), webhook, @event, key, body, now = Database.Now });

    /// <summary>Takes deliveries that are due and that nobody else is about to make. A claim that is not settled runs out.</summary>
    public static async Task<IReadOnlyList<WebhookDeliveryRow>> ClaimDeliveries(this Database database, int limit, TimeSpan claim, CancellationToken cancel)
    {
        const string due = "state = 'queued' and not_before <= @now and claimed_until < @now";
        if (await database.QueryOne<string>($"select id from webhook_deliveries where {due} limit 1", new { now = Database.Now }, cancel) is null) return [];
        var claimed = await database.WriteStatement(transaction => transaction.Query<WebhookDeliveryRow>(
            $"""
            update webhook_deliveries set claimed_until = @until, attempts = attempts + 1
            where id in (select id from webhook_deliveries where {due} order by id limit @limit {database.SkipLocked}) returning *
            """,
            new { limit, now = Database.Now, until = Database.Now + (long)claim.TotalMilliseconds }), cancel);
        return [.. claimed.OrderBy(delivery => delivery.Id, StringComparer.Ordinal)];
    }

    public static async Task<IReadOnlyList<WebhookRow>> WebhookRows(this Database database, CancellationToken cancel) =>
        [.. await database.Query<WebhookRow>("select * from webhooks where removed_at is null order by created_at, id", null, cancel)];

    /// <param name="database">The database.</param>
    /// <param name="webhook">Only of this one; null for all.</param>
    /// <param name="limit">The newest so many.</param>
    /// <param name="cancel">Ends the query.</param>
    public static async Task<IReadOnlyList<WebhookDeliveryRow>> Deliveries(this Database database, string? webhook, int limit, CancellationToken cancel) =>
        [.. await database.Query<WebhookDeliveryRow>(
            "select * from webhook_deliveries where cast(@webhook as text) is null or webhook_id = @webhook order by id desc limit @limit", new { webhook, limit }, cancel)];

    /// <summary>Ids of deliveries that end so; at most ten of them.</summary>
    public static async Task<IReadOnlyList<string>> DeliveriesEnding(this Database database, string end, CancellationToken cancel) =>
        [.. await database.Query<string>("select id from webhook_deliveries where substr(id, length(id) - length(@end) + 1) = @end order by id limit 10", new { end }, cancel)];

    private static string? SubjectOf(object message) => message switch
    {
        DatasetReady ready => ready.Dataset,
        DatasetRejected rejected => rejected.Dataset,
        ModelTrained trained => trained.Dataset,
        TrainingFailed failed => failed.Dataset,
        TrainingCancelled cancelled => cancelled.Dataset,
        ModelRegistered registered => registered.Model,
        ModelPromoted promoted => promoted.Model,
        PromotionRefused refused => refused.Model,
        PromotionWaiting waiting => waiting.Model,
        _ => null,
    };
}
