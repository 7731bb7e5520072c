using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>What scheduling adds to a process.</summary>
public static class SchedulingService
{
    /// <param name="services">Of the process.</param>
    /// <param name="database">Keeps the schedules, and what they have missed; on PostgreSQL any number of schedulers share them.</param>
    public static IServiceCollection AddScheduling(this IServiceCollection services, Database database)
    {
        services.AddOptions<SchedulingOptions>().Configure<IConfiguration>(Read).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SchedulingOptions>, SchedulingOptionsValidator>();
        services.TryAddSingleton(Database.Clock);
        services.AddSingleton<ScheduleFiring>();
        var (factory, connection) = database.Provider;
        services.AddQuartz(quartz => quartz.UsePersistentStore(store =>
        {
            store.ProvisionSchema();
            if (!database.IsPostgres)
            {
                store.UseSqlite(factory, connection);
                return;
            }
            store.UsePostgres(factory, connection);
            store.UseClustering();
        }));
        // Before the scheduler: nothing fires by a schedule that the settings have changed.
        services.AddHostedService<ScheduleSync>();
        services.AddQuartzHostedService(host => host.WaitForJobsToComplete = true);
        return services.AddReconciliation("fires without a decision", OweDecisions);
    }

    private sealed record OwedFire
    {
        public required string Schedule { get; init; }
        public required long FireTime { get; init; }
        public required string Dataset { get; init; }
        public required int DatasetVersion { get; init; }
        public required string Recipe { get; init; }
        public required bool Force { get; init; }
        public required string Reason { get; init; }
    }

    private static async Task<int> OweDecisions(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<OwedFire>(
            """
            select f.schedule, f.fire_time, f.dataset, f.dataset_version, f.recipe, f.force, f.reason
            from schedule_fires f left join training_decisions d on d.schedule = f.schedule and d.fire_time = f.fire_time
            where f.outcome = 'asked' and d.id is null and f.fired_at < @before and f.fired_at > @forgotten
            """,
            new { before, forgotten = Database.Now - (long)TimeSpan.FromDays(7).TotalMilliseconds })).ToList();
        foreach (var fire in owed)
            await transaction.Publish(new ScheduleFired(
                fire.Schedule, DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime), fire.Dataset, fire.DatasetVersion, fire.Recipe, fire.Force, fire.Reason));
        return owed.Count;
    }

    private static void Read(SchedulingOptions options, IConfiguration configuration)
    {
        // Names of environment variables are upper case, names of datasets never.
        foreach (var schedule in configuration.GetSection(SchedulingOptions.Section).GetChildren())
            options.Datasets[schedule.Key.ToLowerInvariant()] = schedule.Get<DatasetSchedule>() ?? new DatasetSchedule();
    }
}
