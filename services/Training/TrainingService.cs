using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>What training adds to a process.</summary>
public static class TrainingService
{
    public static void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<DecideTrainingConsumer>();
        bus.AddConsumer<DecideScheduledTrainingConsumer>();
        bus.AddConsumer<TrainModelConsumer>();
    }

    public static IServiceCollection AddTraining(this IServiceCollection services)
    {
        services.AddOptions<TrainingOptions>().BindConfiguration("Training").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PolicySettings>().BindConfiguration("Policy").ValidateOnStart();
        services.AddSingleton<IValidateOptions<PolicySettings>, PolicyValidator>();
        services.TryAddSingleton(Database.Clock);
        services.AddSingleton<TrainingDecisions>().AddSingleton<DriftMeasurement>();
        services.AddHostedService<TrainingWorker>();
        services.AddHostedService<DecideWorker>();
        services.AddHostedService<ScratchTidying>();
        services.AddReconciliation("dataset versions without a training decision", OweDecisions);
        return services.AddReconciliation("queued runs without a job", OweTrainings);
    }

    private static async Task<int> OweDecisions(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<DatasetVersionRow>(
            """
            select v.* from dataset_versions v left join training_decisions d on d.dataset = v.dataset and d.version = v.version and d.cause = 'new-data'
            where d.dataset is null and v.created_at < @before
            """, new { before })).ToList();
        foreach (var row in owed)
            await transaction.Publish(new DatasetReady(row.Dataset, row.Version, JsonSerializer.Deserialize<ArtifactRef>(row.ManifestRefJson, ContractJson.Compact)!, row.DropId));
        return owed.Count;
    }

    private static async Task<int> OweTrainings(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<RunRow>(
            "select * from runs r where state = 'queued' and created_at < @before and not exists (select 1 from jobs j where j.kind = @Kind and j.subject = r.id)",
            new { before, TrainingWorker.Kind })).ToList();
        foreach (var run in owed) await transaction.Publish(new TrainModel(run.Id, run.Dataset, run.DatasetVersion, run.RecipeJson, run.RequestedBy, run.Reason, ((JobPriority)run.Priority).Name()));
        return owed.Count;
    }

    /// <summary>A policy that cannot be read is refused at the start.</summary>
    private sealed class PolicyValidator : IValidateOptions<PolicySettings>
    {
        public ValidateOptionsResult Validate(string? name, PolicySettings options) =>
            options.Mistakes() is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes.Select(mistake => $"Policy: {mistake}")) : ValidateOptionsResult.Success;
    }
}
