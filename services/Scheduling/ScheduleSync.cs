using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>
/// Brings the stored schedules in line with the settings when the process starts, before any of them fires. One that has not changed is left
/// as it is, with the fire that it missed while no scheduler ran.
/// </summary>
public sealed class ScheduleSync(ISchedulerFactory schedulers, IOptions<SchedulingOptions> options, ILogger<ScheduleSync> logger) : IHostedService
{
    internal const string Group = "datasets";
    private static readonly JobKey Job = new("ask-for-training");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        await scheduler.AddJob(
            JobBuilder.Create<AskForTraining>().WithIdentity(Job).StoreDurably().RequestRecovery().Build(), new AddJobOptions { Replace = true }, cancellationToken);
        foreach (var (dataset, schedule) in options.Value.Datasets) await Store(scheduler, dataset, schedule, cancellationToken);

        var stored = await scheduler.GetTriggerKeys(GroupMatcher<TriggerKey>.GroupEquals(Group), cancellationToken);
        foreach (var key in stored.Where(key => !options.Value.Datasets.ContainsKey(key.Name)))
        {
            await scheduler.UnscheduleJob(key, cancellationToken);
            logger.Unscheduled(key.Name);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task Store(IScheduler scheduler, string dataset, DatasetSchedule schedule, CancellationToken cancel)
    {
        var key = new TriggerKey(dataset, Group);
        var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(Job).UsingJobData(AskForTraining.Recipe, schedule.Recipe).WithSchedule(schedule.ToSchedule()).Build();
        var next = await scheduler.GetTrigger(key, cancel) switch
        {
            ICronTrigger before when IsSame(before, schedule) => before.NextFireTimeUtc,
            null => await scheduler.ScheduleJob(trigger, cancellationToken: cancel),
            _ => await scheduler.RescheduleJob(key, trigger, cancel),
        };
        logger.Scheduled(dataset, schedule.Cron, schedule.TimeZone, next);
    }

    private static bool IsSame(ICronTrigger before, DatasetSchedule schedule) =>
        before.CronExpressionString == schedule.Expression!.CronExpressionString && before.TimeZone.Id == schedule.TimeZone && before.JobDataMap.GetString(AskForTraining.Recipe) == schedule.Recipe;
}
