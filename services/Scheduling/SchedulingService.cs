using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
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
        return services.AddReconciliation("scheduled trainings that nobody has taken up", OweTrainings);
    }

    private static async Task<int> OweTrainings(Transaction transaction, long before)
    {
        // The run is written down by who takes the message up, as only the trainer can settle the recipe.
        var asked = (await transaction.Query<string>(
            "select train_json from schedule_fires where train_json is not null and fired_at < @before and fired_at > @forgotten",
            new { before, forgotten = Database.Now - (long)TimeSpan.FromDays(7).TotalMilliseconds })).Select(Read).ToList();
        var owed = 0;
        foreach (var train in asked)
        {
            if (await transaction.QueryOne<string>("select id from runs where id = @RunId", new { train.RunId }) is not null) continue;
            await transaction.Publish(train);
            owed++;
        }
        return owed;
    }

    private static void Read(SchedulingOptions options, IConfiguration configuration)
    {
        // Names of environment variables are upper case, names of datasets never.
        foreach (var schedule in configuration.GetSection(SchedulingOptions.Section).GetChildren())
            options.Datasets[schedule.Key.ToLowerInvariant()] = schedule.Get<DatasetSchedule>() ?? new DatasetSchedule();
    }

    private static TrainModel Read(string json) => JsonSerializer.Deserialize<TrainModel>(json, ContractJson.Compact)!;
}
