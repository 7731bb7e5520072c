using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>Finds, in the state alone, messages that should have had an effect by now and publishes them again.</summary>
/// <param name="Name">What is owed, for the log.</param>
/// <param name="Publish">Publishes again and returns how many; older than the given time only (Unix milliseconds).</param>
public sealed record Reconciliation(string Name, Func<Transaction, long, Task<int>> Publish);

/// <summary>
/// Sends again what is still owed, at the start and every minute. The in-memory bus forgets its messages with the process, and a
/// broker can be purged; the state cannot.
/// </summary>
public sealed class Reconciler(Database database, IEnumerable<Reconciliation> reconciliations, ILogger<Reconciler> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        // At the start nothing is under way: everything unanswered is owed. Later, messages get a minute to arrive.
        for (var patience = TimeSpan.Zero; !stoppingToken.IsCancellationRequested; patience = Interval)
        {
            var before = Database.Now - (long)patience.TotalMilliseconds;
            foreach (var reconciliation in reconciliations) await Attempt(() => Reconcile(reconciliation, before, stoppingToken), stoppingToken);
            await Attempt(() => database.ForgetBefore(DateTimeOffset.UtcNow.AddDays(-30), stoppingToken), stoppingToken);
            await Task.Delay(Interval, stoppingToken);
        }
    }

    private async Task Reconcile(Reconciliation reconciliation, long before, CancellationToken cancel)
    {
        var count = await database.Write(transaction => reconciliation.Publish(transaction, before), cancel);
        if (count > 0) logger.Reconciled(count, reconciliation.Name);
    }

    /// <summary>What fails is tried again with the next round and must not keep the others from their turn.</summary>
    private async Task Attempt(Func<Task> work, CancellationToken stopping)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            logger.WorkerFailed(e, "reconciler");
        }
    }
}
