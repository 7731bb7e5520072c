using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Chaos.Checks;
using DmlPipeline.Chaos.Faults;
using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos;

/// <summary>Drops come, faults strike, the pipeline comes to rest, and everything is counted.</summary>
internal sealed class ChaosRun(ChaosOptions options, Pipeline pipeline, Journal journal)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    // Kills that come faster than processes start on this machine would only ever meet processes that start.
    private static readonly TimeSpan LongestPace = TimeSpan.FromSeconds(20);

    // What the kills may be ahead of the models, in drops.
    private const int KillsAhead = 5;

    private readonly Dropper dropper = new(pipeline, options.Drops, new Random(options.Seed));
    private readonly Dictionary<string, int> struck = new(StringComparer.Ordinal);
    private int killed;
    private int disturbed;
    private bool noMoreKills;
    private bool noMoreDisturbances;

    /// <returns>Whether every count is right.</returns>
    public static async Task<bool> Run(ChaosOptions options, TextWriter output, CancellationToken cancel)
    {
        var journal = new Journal(output);
        journal.Say($"seed {options.Seed}, {options.Drops} drops, {options.Kills} kills, in {options.Folder}");
        await using var pipeline = await Pipeline.Start(options, cancel);
        journal.Say("servers and services run");
        return await new ChaosRun(options, pipeline, journal).Run(cancel);
    }

    private async Task<bool> Run(CancellationToken cancel)
    {
        // What fails takes the others with it.
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var parts = new List<Task> { dropper.Run(Share, together.Token), Kill(together.Token), Disturb(together.Token) };
        try
        {
            while (parts.Count > 0)
            {
                var ended = await Task.WhenAny(parts);
                parts.Remove(ended);
                await ended;
            }
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        journal.Say("every drop is in the bucket, and every fault is over: waiting for quiet");
        var quiet = await ComesToRest(cancel);
        journal.Say(quiet ? "quiet" : $"not quiet within {options.QuietWithin.TotalMinutes:0} minutes: {await Progress(cancel)}");
        var checks = await Count(cancel);
        journal.Table([.. struck.OrderBy(pair => pair.Key, StringComparer.Ordinal)], checks);
        journal.Say($"seed {options.Seed}: {(checks.All(check => check.IsRight) ? "every count is right" : "NOT every count is right")}");
        return checks.All(check => check.IsRight);
    }

    /// <summary>How much of what is to go wrong has gone wrong.</summary>
    private double Share() => Math.Min(
        noMoreKills ? 1 : killed / (double)options.Kills,
        noMoreDisturbances ? 1 : disturbed / (double)(options.Rounds * FaultCatalogue.Others.Count(IsAsked)));

    private bool IsAsked(Fault fault) => options.Only.Count == 0 || options.Only.Any(fault.Goes);

    private async Task Kill(CancellationToken cancel)
    {
        var random = new Random(HashCode.Combine(options.Seed, 1));
        var faults = FaultCatalogue.Kills.Where(IsAsked).ToList();
        // Those that must meet a commit may meet none; with nothing to kill for a long time there is nothing more to learn.
        for (var missed = 0; faults.Count > 0 && killed < options.Kills && missed < options.Kills + 20;)
        {
            await Task.Delay(random.Next(200, 2500), cancel);
            await KeepPace(cancel);
            // Half of them at any moment: they find what nobody thought of.
            var fault = random.Next(2) == 0 ? faults[0] : faults[random.Next(faults.Count)];
            if (await Strike(fault, random.Next(), cancel)) killed++;
            else missed++;
        }
        noMoreKills = true;
    }

    /// <summary>Waits until the models have kept up with the kills, but not for ever: what is stuck may need one.</summary>
    private async Task KeepPace(CancellationToken cancel)
    {
        for (var end = DateTime.UtcNow + LongestPace; DateTime.UtcNow < end; await Task.Delay(LookEvery, cancel))
            if ((await dropper.Registered(cancel) + KillsAhead) * options.Kills > killed * options.Drops) return;
    }

    private async Task Disturb(CancellationToken cancel)
    {
        var random = new Random(HashCode.Combine(options.Seed, 2));
        // After the first drops have become versions, so that they all find something under way.
        while (await dropper.Prepared(cancel) < Math.Min(2, options.Drops)) await Task.Delay(LookEvery, cancel);
        for (var round = 0; round < options.Rounds; round++)
        {
            var faults = FaultCatalogue.Others.Where(IsAsked).ToArray();
            random.Shuffle(faults);
            foreach (var fault in faults)
            {
                await Task.Delay(random.Next(1000, 4000), cancel);
                await Strike(fault, random.Next(), cancel);
                disturbed++;
            }
        }
        noMoreDisturbances = true;
    }

    private async Task<bool> Strike(Fault fault, int seed, CancellationToken cancel)
    {
        var begun = Stopwatch.GetTimestamp();
        var whom = await fault.Strike(pipeline, new Random(seed), cancel);
        if (whom is null) return false;
        lock (struck) struck[fault.Name] = struck.GetValueOrDefault(fault.Name) + 1;
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        journal.Say($"{fault.Name,-24} {whom} ({seconds} s)  {await Progress(cancel)}");
        return true;
    }

    private Task<string> Progress(CancellationToken cancel) => pipeline.Patiently(async database =>
    {
        var (versions, models, jobs, unsent) = await database.QueryOne<(long, long, long, long)>(
            """
            select (select count(*) from dataset_versions), (select count(*) from runs where state in ('registered', 'failed')),
                (select count(*) from jobs where state not in ('done', 'failed', 'cancelled')), (select count(*) from outbox where sent_at is null)
            """, null, cancel);
        return $"{dropper.Done.Count}/{options.Drops} dropped, {versions} versions, {models} models, {jobs} jobs, {unsent} unsent, {killed}/{options.Kills} kills";
    }, cancel);

    private async Task<bool> ComesToRest(CancellationToken cancel)
    {
        var said = DateTime.UtcNow;
        for (var end = DateTime.UtcNow + options.QuietWithin; DateTime.UtcNow < end; await Task.Delay(LookEvery, cancel))
        {
            if (await IsQuiet(cancel)) return true;
            if (DateTime.UtcNow - said < TimeSpan.FromSeconds(15)) continue;
            journal.Say(await Progress(cancel));
            said = DateTime.UtcNow;
        }
        return false;
    }

    private async Task<bool> IsQuiet(CancellationToken cancel)
    {
        var owed = await pipeline.Patiently(database => database.QueryOne<long>(
            """
            select (select count(*) from jobs where state not in ('done', 'failed', 'cancelled')) + (select count(*) from outbox where sent_at is null)
                + (select count(*) from runs where state not in ('registered', 'failed', 'cancelled')) + (select count(*) from drops where state = 'settled')
                + (select count(*) from dataset_versions v where not exists (select 1 from training_decisions d where d.dataset = v.dataset and d.version = v.version))
                + (select count(*) from inbox_objects where drop_id is null)
                + greatest(0, @drops - (select count(*) from drops))
            """, new { drops = dropper.Done.Count }, cancel), cancel);
        return owed == 0 && (await BrokerChecks.Waiting(pipeline, cancel)).All(queue => queue.Messages == 0 || queue.Name.EndsWith("_error", StringComparison.Ordinal));
    }

    private async Task<IReadOnlyList<Check>> Count(CancellationToken cancel) =>
    [
        .. await StateChecks.Of(pipeline.Database, dropper.Done, cancel),
        .. await LeaseChecks.Of(pipeline.Database, dropper.Done.Count, cancel),
        .. await BrokerChecks.Of(pipeline, cancel),
        .. await StoreChecks.Of(pipeline, cancel),
        new("kills", FaultCatalogue.Kills.Any(IsAsked) ? options.Kills : 0, killed, []),
        Check.None("services that ended by themselves", pipeline.Services.SelectMany(service => service.EndedByItself)),
    ];
}
