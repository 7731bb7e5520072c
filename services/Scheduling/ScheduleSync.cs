using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>
/// Keeps Quartz's triggers in line with the stored schedules, and those of the settings in line with the settings: at the start, before any fires, and
/// within seconds of a change by anyone. Looks after fires that Quartz has lost, or that a node died in, every ten seconds.
/// </summary>
public sealed class ScheduleSync(
    Database database, ISchedulerFactory schedulers, ScheduleFiring firing, IOptions<SchedulingOptions> options, TimeProvider clock, ILogger<ScheduleSync> logger)
    : BackgroundService
{
    internal const string Group = "schedules";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FireEvery = TimeSpan.FromSeconds(10);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.AddJob(
            JobBuilder.Create<FireSchedule>().WithIdentity(FireSchedule.Key).StoreDurably().RequestRecovery().Build(), new AddJobOptions { Replace = true }, cancellationToken);
        await database.Write(TakeSettings, cancellationToken);
        await Sync(scheduler, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var scheduler = await schedulers.GetScheduler(stoppingToken);
        // What came between the first look, when this started, and now is noticed as a change.
        (long Count, long ChangedAt)? seen = null;
        var fired = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (clock.GetUtcNow() - fired > FireEvery)
                {
                    await firing.FireDue(stoppingToken);
                    fired = clock.GetUtcNow();
                }
                await Task.Delay(LookEvery, stoppingToken);
                var now = await State(stoppingToken);
                if (now == seen) continue;
                await Sync(scheduler, stoppingToken);
                seen = now;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.SyncFailed(e);
                await Task.Delay(LookEvery, stoppingToken);
            }
        }
    }

    private async Task<(long Count, long ChangedAt)> State(CancellationToken cancel) =>
        await database.QueryOne<(long, long)>("select count(*), coalesce(max(changed_at), 0) from schedules", null, cancel);

    private async Task TakeSettings(Transaction transaction)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var stored = (await transaction.Query<ScheduleRow>("select * from schedules")).ToDictionary(row => row.Name, StringComparer.Ordinal);
        var declared = options.Value.Datasets.ToDictionary(schedule => schedule.Key, schedule => schedule.Value.ToDefinition(schedule.Key), StringComparer.Ordinal);
        foreach (var schedule in declared.Values)
            if (!stored.TryGetValue(schedule.Name, out var row) || row.Source != ScheduleRows.FromSettings || row.DefinitionJson != schedule.ToJson())
                await transaction.Put(schedule, ScheduleRows.FromSettings, paused: null, now);
        foreach (var row in stored.Values.Where(row => row.Source == ScheduleRows.FromSettings && !declared.ContainsKey(row.Name))) await transaction.Remove(row.Name);
    }

    private async Task Sync(IScheduler scheduler, CancellationToken cancel)
    {
        var active = (await database.Schedules(cancel)).Where(row => !row.Paused).ToDictionary(row => row.Name, StringComparer.Ordinal);
        foreach (var row in active.Values) await Store(scheduler, row.Definition, cancel);
        foreach (var key in await scheduler.GetTriggerKeys(GroupMatcher<TriggerKey>.GroupEquals(Group), cancel))
        {
            if (active.ContainsKey(key.Name)) continue;
            await scheduler.UnscheduleJob(key, cancel);
            logger.Unscheduled(key.Name);
        }
    }

    private async Task Store(IScheduler scheduler, ScheduleDefinition schedule, CancellationToken cancel)
    {
        var key = new TriggerKey(schedule.Name, Group);
        var expression = schedule.Expression!;
        // However many wakes were missed, one is enough: which fires were missed, and what becomes of them, the firing finds out by itself.
        var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(FireSchedule.Key).UsingJobData(FireSchedule.Schedule, schedule.Name)
            .WithSchedule(CronScheduleBuilder.Create(expression).InTimeZone(schedule.Zone).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)).Build();
        var before = await scheduler.GetTrigger(key, cancel);
        if (before is ICronTrigger same && same.CronExpressionString == expression.CronExpressionString && same.TimeZone.Id == schedule.TimeZone) return;
        try
        {
            var next = before is not null
                ? await scheduler.RescheduleJob(key, trigger, cancel)
                : await scheduler.ScheduleJob(trigger, cancellationToken: cancel);
            logger.Scheduled(schedule.Name, schedule.Cron, schedule.TimeZone, next);
        }
        catch (ObjectAlreadyExistsException)
        {
            // Another node was quicker; the trigger is the same.
        }
    }
}
