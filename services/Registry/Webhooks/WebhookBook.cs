using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>Adds and removes webhooks, tests them, and sends deliveries again.</summary>
public sealed class WebhookBook(Database database)
{
    private const int LongestUrl = 2000;

    /// <param name="url">An https address; http is spoken only within networks that are allowed by a setting.</param>
    /// <param name="events">Names of events; none for all.</param>
    /// <param name="subject">Only of this dataset or model; null for all.</param>
    /// <param name="secretRef"><c>env:NAME</c> or <c>file:PATH</c>, as the registry's process finds it.</param>
    /// <param name="by">Who adds it.</param>
    /// <param name="cancel">Ends it before it has happened.</param>
    /// <exception cref="WebhookException">Something is wrong with one of these.</exception>
    public async Task<WebhookRow> Add(string url, IReadOnlyCollection<string> events, string? subject, string secretRef, string by, CancellationToken cancel)
    {
        if (url.Length > LongestUrl || !Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            throw new WebhookException($"'{url}' is no address for a webhook: write https://host/path, without a user or password in it.");
        if (events.FirstOrDefault(name => !Storage.Webhooks.Events.Contains(name, StringComparer.Ordinal)) is { } unknown)
            throw new WebhookException($"There is no event '{unknown}'. There are: {string.Join(", ", Storage.Webhooks.Events)}.");
        if (!secretRef.StartsWith("env:", StringComparison.Ordinal) && !secretRef.StartsWith("file:", StringComparison.Ordinal))
            throw new WebhookException($"'{secretRef}' says not where the secret is: write env:NAME or file:PATH. The secret itself is not kept in the database.");
        var row = new WebhookRow
        {
            Id = Guid.NewGuid().ToString("N")[..8], Url = uri.AbsoluteUri, Events = events.Count == 0 ? "*" : $",{string.Join(',', events.Distinct(StringComparer.Ordinal))},",
            Subject = subject, SecretRef = secretRef, CreatedBy = by, CreatedAt = Database.Now,
        };
        await database.Write(transaction => transaction.Execute(
            "insert into webhooks (id, url, events, subject, secret_ref, created_by, created_at) values (@Id, @Url, @Events, @Subject, @SecretRef, @CreatedBy, @CreatedAt)", row), cancel);
        return row;
    }

    /// <summary>Removes a webhook; what waits for it is given up.</summary>
    public async Task<bool> Remove(string id, CancellationToken cancel) => await database.Write(async transaction =>
    {
        await transaction.Execute("update webhook_deliveries set state = 'failed', last_error = 'the webhook was removed' where webhook_id = @id and state = 'queued'", new { id });
        return await transaction.Execute("update webhooks set removed_at = @now where id = @id and removed_at is null", new { id, now = Database.Now }) == 1;
    }, cancel);

    /// <summary>Queues a delivery that tells of nothing.</summary>
    /// <returns>False when there is no such webhook.</returns>
    public Task<bool> Test(string id, CancellationToken cancel) => database.Write(async transaction =>
        await transaction.QueryOne<string>("select id from webhooks where id = @id and removed_at is null", new { id }) is not null
        && await transaction.QueueDelivery(id, Storage.Webhooks.Test, Guid.NewGuid().ToString("N"), """{"note":"a test: nothing has happened"}""") == 1, cancel);

    /// <summary>Sends deliveries once more, whatever became of them.</summary>
    /// <param name="id">A delivery; null for every one that was given up.</param>
    /// <param name="cancel">Ends it before it has happened.</param>
    /// <returns>How many.</returns>
    public Task<int> Replay(string? id, CancellationToken cancel) => database.Write(transaction => transaction.Execute(
        """
        update webhook_deliveries set state = 'queued', attempts = 0, not_before = 0, claimed_until = 0, delivered_at = null
        where (id = @id or cast(@id as text) is null and state = 'failed') and webhook_id in (select id from webhooks where removed_at is null)
        """, new { id }), cancel);
}
