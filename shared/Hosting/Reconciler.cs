using DmlPipeline.Hosting.Messaging;
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
public sealed class Reconciler(Database database, BusSettings bus, IEnumerable<Reconciliation> reconciliations, ILogger<Reconciler> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        // A bus in memory begins empty: everything unanswered is owed. Later, and where a broker keeps messages, they get a minute to arrive.
        for (var patience = bus.IsMemory ? TimeSpan.Zero : Interval; !stoppingToken.IsCancellationRequested; patience = Interval)
        {
            var before = Database.Now - (long)patience.TotalMilliseconds;
            foreach (var reconciliation in reconciliations) await Attempt(() => Reconcile(reconciliation, before, stoppingToken), stoppingToken);
            await Attempt(() => database.ForgetBefore(DateTimeOffset.FromUnixTimeMilliseconds(Database.Now).AddDays(-30), stoppingToken), stoppingToken);
            await Task.Delay(Interval, stoppingToken);
        }
    }

    private async Task Reconcile(Reconciliation reconciliation, long before, CancellationToken cancel)
    {
        var count = await database.Write(async transaction =>
        {
            var begun = Database.Now;
            var published = await reconciliation.Publish(transaction, before);
            return published == 0 || bus.IsMemory ? published : published - await HoldBack(transaction, begun);
        }, cancel);
        if (count > 0) logger.Reconciled(count, reconciliation.Name);
    }

    /// <summary>
    /// Takes back what was sent again only just: after one minute, two, four and so on, at most a day. A message that can never be consumed
    /// would otherwise leave a dead letter every minute on a broker that keeps them.
    /// </summary>
    private static async Task<int> HoldBack(Transaction transaction, long begun)
    {
        var repeated = (await transaction.Query<(long Id, long Times, long Last)>(
            """
            select again.id, count(*) as times, max(earlier.created_at) as last
            from outbox again join outbox earlier on earlier.type = again.type and earlier.body_json = again.body_json and earlier.created_at < @begun
            where again.created_at >= @begun group by again.id
            """, new { begun })).ToList();
        var tooSoon = repeated.Where(message => Database.Now - message.Last < Wait(message.Times).TotalMilliseconds).Select(message => message.Id).ToList();
        foreach (var id in tooSoon) await transaction.Execute("delete from outbox where id = @id", new { id });
        return tooSoon.Count;
    }

    private static TimeSpan Wait(long times) => TimeSpan.FromMinutes(Math.Min(Math.Pow(2, times - 1), 24 * 60));

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
