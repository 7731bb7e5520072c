using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>Makes the deliveries that are due; those that fail are tried again later, and later still.</summary>
public sealed class WebhookDispatcher(Database database, IOptions<RegistryOptions> options, ILogger<WebhookDispatcher> logger) : BackgroundService
{
    private const int AtOnce = 16;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromSeconds(5);

    /// <summary>Pauses between attempts, three days together; after the last one a delivery is given up and waits to be replayed by hand.</summary>
    internal static readonly IReadOnlyList<TimeSpan> RetryAfter =
    [
        TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(20), TimeSpan.FromHours(35),
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var patience = TimeSpan.FromSeconds(options.Value.WebhookTimeoutSeconds);
        using var sender = new WebhookSender(PublicAddress.Networks(options.Value.WebhookNetworks), patience);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // A claim outlasts the attempt, so that no other process makes the same one.
                var due = await database.ClaimDeliveries(AtOnce, patience + TimeSpan.FromSeconds(30), stoppingToken);
                var webhooks = due.Count == 0 ? [] : (await database.WebhookRows(stoppingToken)).ToDictionary(row => row.Id, StringComparer.Ordinal);
                await Task.WhenAll(due.Select(delivery => Attempt(sender, delivery, webhooks.GetValueOrDefault(delivery.WebhookId), stoppingToken)));
                if (due.Count < AtOnce) await Task.Delay(Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.WebhooksFailed(e);
                await Task.Delay(PauseAfterError, stoppingToken);
            }
        }
    }

    private async Task Attempt(WebhookSender sender, WebhookDeliveryRow delivery, WebhookRow? webhook, CancellationToken cancel)
    {
        var attempt = webhook is null ? new WebhookAttempt(false, null, "the webhook was removed") : await sender.Send(webhook, delivery, cancel);
        var last = webhook is null || delivery.Attempts > RetryAfter.Count;
        var state = attempt.Delivered ? "delivered" : last ? "failed" : "queued";
        await database.WriteStatement(transaction => transaction.Execute(
            """
            update webhook_deliveries set state = @state, last_status = @Status, last_error = @Error, claimed_until = 0, not_before = @notBefore, delivered_at = @deliveredAt
            where id = @Id and state = 'queued'
            """,
            new
            {
                delivery.Id, state, attempt.Status, attempt.Error, deliveredAt = attempt.Delivered ? Database.Now : (long?)null,
                notBefore = state == "queued" ? Database.Now + (long)RetryAfter[(int)delivery.Attempts - 1].TotalMilliseconds : 0,
            }), CancellationToken.None);
        if (attempt.Delivered) logger.WebhookDelivered(delivery.Event, delivery.WebhookId);
        else logger.WebhookRefused(delivery.Event, delivery.WebhookId, delivery.Attempts, attempt.Error!);
    }
}
