using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Registry.Gates;
using DmlPipeline.Registry.Promotion;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Registry;

/// <summary>What the registry adds to a process.</summary>
public static class RegistryService
{
    // One after the other: registrations look at the same few rows and change them, so those side by side only make each other begin again.
    public static void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<RegisterModelConsumer>(consumer => consumer.ConcurrentMessageLimit = 1);

    public static IServiceCollection AddRegistry(this IServiceCollection services)
    {
        services.AddOptions<RegistryOptions>().BindConfiguration("Registry").ValidateDataAnnotations()
            .Validate(ReadsItsFiles).ValidateOnStart();
        services.AddSingleton<PromotionDesk>().AddSingleton<WebhookBook>().AddHostedService<WebhookDispatcher>();
        return services.AddReconciliation("evaluated runs without a registered version", OweRegistrations);
    }

    /// <summary>A mistake in a file shows at the start, and not in the night when it is needed.</summary>
    /// <exception cref="OptionsValidationException">One cannot be read or understood; it says what to do.</exception>
    private static bool ReadsItsFiles(RegistryOptions options)
    {
        try
        {
            _ = options.RuleOf(model: "");
            _ = WriteTokens.Read(options.TokenFile);
            _ = PublicAddress.Networks(options.WebhookNetworks);
            return true;
        }
        catch (Exception e) when (e is GateFileException or FormatException)
        {
            throw new OptionsValidationException("Registry", typeof(RegistryOptions), [e.Message]);
        }
    }

    private static async Task<int> OweRegistrations(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<RunRow>("select * from runs where state = 'evaluated' and finished_at < @before", new { before })).ToList();
        foreach (var run in owed)
            await transaction.Publish(JsonSerializer.Deserialize<ModelEvaluated>(run.EvaluatedJson!, ContractJson.Compact)!);
        return owed.Count;
    }
}
