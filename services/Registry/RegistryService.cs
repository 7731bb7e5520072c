using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Registry;

/// <summary>What the registry adds to a process.</summary>
public static class RegistryService
{
    public static void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<RegisterModelConsumer>();

    public static IServiceCollection AddRegistry(this IServiceCollection services)
    {
        services.AddOptions<RegistryOptions>().BindConfiguration("Registry").ValidateDataAnnotations().ValidateOnStart();
        return services.AddReconciliation("evaluated runs without a registered version", OweRegistrations);
    }

    private static async Task<int> OweRegistrations(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<RunRow>("select * from runs where state = 'evaluated' and finished_at < @before", new { before })).ToList();
        foreach (var run in owed)
            await transaction.Publish(JsonSerializer.Deserialize<ModelEvaluated>(run.EvaluatedJson!, ContractJson.Compact)!);
        return owed.Count;
    }
}
