using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion.Events;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Ingestion;

/// <summary>What ingestion adds to a process.</summary>
public static class IngestionService
{
    public static void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<ObjectDroppedConsumer>();
        bus.AddConsumer<PrepareDatasetConsumer>();
    }

    public static IServiceCollection AddIngestion(this IServiceCollection services)
    {
        services.AddOptions<InboxOptions>().BindConfiguration("Inbox").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<IngestionOptions>().BindConfiguration(IngestionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<DroppedObjects>();
        services.AddHostedService<InboxLister>();
        services.AddHostedService<DropSettler>();
        services.AddHostedService<PreparationWorkers>();
        return services.AddReconciliation("settled drops without a job", OwePreparations);
    }

    /// <summary>Besides listing, follows the events of a bucket. For a process on a broker and a bucket.</summary>
    public static IServiceCollection AddObjectEvents(this IServiceCollection services, EventSettings settings) =>
        services.AddSingleton(settings).AddHostedService<ObjectEventListener>();

    private static async Task<int> OwePreparations(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<DropRow>(
            "select * from drops d where state = 'settled' and created_at < @before and not exists (select 1 from jobs j where j.kind = @Kind and j.subject = d.id)",
            new { before, PreparationWorker.Kind })).ToList();
        foreach (var drop in owed) await transaction.Publish(new PrepareDataset(drop.Id, drop.Dataset));
        return owed.Count;
    }
}
