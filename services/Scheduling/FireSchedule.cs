using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>What Quartz wakes a scheduler for: one of a schedule's times has come, or the jitter after it is over.</summary>
public sealed class FireSchedule(ScheduleFiring firing, Storage.Database database, TimeProvider clock) : IJob
{
    internal static readonly JobKey Key = new("fire-schedule");
    internal const string Schedule = "schedule";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // A job that is recovered from a node that died may come without the data of its trigger.
        if (!context.MergedJobDataMap.ContainsKey(Schedule))
        {
            await firing.FireDue(cancellationToken);
            return;
        }
        var name = context.MergedJobDataMap.GetString(Schedule)!;
        await firing.FireDue(name, cancellationToken);
        if (await database.Schedule(name, cancellationToken) is not { Paused: false } row || row.Definition.JitterSeconds == 0) return;
        // The time has come, but its fire is put off: Quartz wakes some node again when it is due.
        var next = FireTimes.After(row.Definition, DateTimeOffset.FromUnixTimeMilliseconds(row.LookedUntil)).First();
        if (next.Excluded is not null || next.Time > clock.GetUtcNow()) return;
        var key = new TriggerKey($"{name}@{next.Time.ToUnixTimeSeconds()}", "jitter");
        if (await context.Scheduler.GetTrigger(key, cancellationToken) is not null) return;
        await context.Scheduler.ScheduleJob(
            TriggerBuilder.Create().WithIdentity(key).ForJob(Key).UsingJobData(Schedule, name).StartAt(next.At).Build(), cancellationToken: cancellationToken);
    }
}
