using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Scheduling;

/// <summary>
/// Accounts for the times of schedules that have come. A time's record, the message that asks whether to train, and the mark up to where the schedule is
/// accounted for are one transaction: any number of nodes may do this at any moment, be killed in the middle, or do it again, and each time fires once.
/// </summary>
public sealed class ScheduleFiring(Database database, TimeProvider clock, ILogger<ScheduleFiring> logger)
{
    /// <summary>Fires what is due of every schedule.</summary>
    public async Task FireDue(CancellationToken cancel)
    {
        foreach (var row in await database.Schedules(cancel)) await FireDue(row.Name, cancel);
    }

    /// <summary>Fires what is due of one schedule.</summary>
    public async Task FireDue(string name, CancellationToken cancel)
    {
        // Looked at without the write lock first: most looks find nothing.
        if (await database.Schedule(name, cancel) is not { Paused: false } seen || Due(seen).LookedUntil.ToUnixTimeMilliseconds() == seen.LookedUntil) return;
        using var activity = Tracing.Source.StartActivity($"schedule {name}");
        var fired = await database.Write(async transaction =>
        {
            var row = await transaction.QueryOne<ScheduleRow>("select * from schedules where name = @name", new { name });
            if (row is not { Paused: false }) return [];
            var due = Due(row);
            await transaction.Execute("update schedules set looked_until = @until where name = @name", new { name, until = due.LookedUntil.ToUnixTimeMilliseconds() });
            var records = new List<FireRow>();
            foreach (var fire in due.Fires)
                if (await Record(transaction, row.Definition, fire.Fire.Time, fire.Reason, fire.Skipped, row.Definition.Force) is { } record) records.Add(record);
            return records;
        }, cancel);
        foreach (var fire in fired) logger.Fired(name, DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime), fire.Outcome, fire.Reason);
    }

    /// <summary>Fires a schedule now, whatever its times are.</summary>
    /// <returns>The record; null when there is no such schedule.</returns>
    public Task<FireRow?> FireByHand(string name, bool force, CancellationToken cancel) =>
        database.Write(async transaction =>
            await transaction.QueryOne<ScheduleRow>("select * from schedules where name = @name", new { name }) is { } row ? await FireByHand(transaction, row.Definition, force) : null, cancel);

    private async Task<FireRow> FireByHand(Transaction transaction, ScheduleDefinition schedule, bool force)
    {
        // Another fire may have this very millisecond; one that was asked for is another.
        for (var time = clock.GetUtcNow(); ; time += TimeSpan.FromMilliseconds(1))
            if (await Record(transaction, schedule, time, "asked for by hand", skipped: false, force || schedule.Force) is { } record) return record;
    }

    private DueTimes Due(ScheduleRow row) => DueFires.At(row.Definition, DateTimeOffset.FromUnixTimeMilliseconds(row.LookedUntil), clock.GetUtcNow());

    private async Task<FireRow?> Record(Transaction transaction, ScheduleDefinition schedule, DateTimeOffset time, string reason, bool skipped, bool force)
    {
        var version = await transaction.QueryOne<int?>("select max(version) from dataset_versions where dataset = @Dataset", new { schedule.Dataset });
        var refusal = skipped ? reason
            : version is null ? $"{reason}; there is no version of {schedule.Dataset} to train on yet"
            : await Concurrent(transaction, schedule) is { } busy ? $"{reason}; {busy}"
            : null;
        var record = new FireRow
        {
            Schedule = schedule.Name, FireTime = time.ToUnixTimeMilliseconds(), Dataset = schedule.Dataset, Outcome = refusal is null ? "asked" : "skipped",
            Reason = refusal ?? reason, DatasetVersion = version, FiredAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        var isFirst = await transaction.Execute(
            """
            insert into schedule_fires (schedule, fire_time, dataset, recipe, force, outcome, reason, dataset_version, fired_at)
            values (@Schedule, @FireTime, @Dataset, @Recipe, @force, @Outcome, @Reason, @DatasetVersion, @FiredAt) on conflict do nothing
            """,
            new { record.Schedule, record.FireTime, record.Dataset, schedule.Recipe, force, record.Outcome, record.Reason, record.DatasetVersion, record.FiredAt }) == 1;
        if (!isFirst) return null;
        if (refusal is null) await transaction.Publish(new ScheduleFired(schedule.Name, time, schedule.Dataset, version!.Value, schedule.Recipe, force, reason));
        return record;
    }

    /// <summary>Why the schedule has to wait for trainings that are under way; null when it need not.</summary>
    private static async Task<string?> Concurrent(Transaction transaction, ScheduleDefinition schedule)
    {
        if (schedule.MaxConcurrent == 0) return null;
        var busy = (await transaction.Query<string>(
            """
            select r.id from training_decisions d join runs r on r.id = d.run_id
            where d.dataset = @Dataset and d.recipe = @Recipe and r.state in ('queued', 'running') order by r.id
            """, new { schedule.Dataset, schedule.Recipe })).ToList();
        return busy.Count < schedule.MaxConcurrent ? null
            : $"{string.Join(", ", busy)} {(busy.Count == 1 ? "is" : "are")} still under way, and no more than {schedule.MaxConcurrent} may train at once";
    }
}
