using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Hosting;

public static class PipelineHosting
{
    /// <summary>
    /// The parts that every process has: the bus with the consumers of its services, the outbox dispatcher and the reconciler.
    /// Embedded, the bus lives in memory and its queues are lost with the process; the reconciler makes up for that.
    /// </summary>
    public static IServiceCollection AddEmbeddedBus(this IServiceCollection services, Action<IBusRegistrationConfigurator> addConsumers)
    {
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            addConsumers(bus);
            // Short retries cover a busy database; what still fails goes to <queue>_error and is owed again.
            bus.AddConfigureEndpointsCallback((_, endpoint) => endpoint.UseMessageRetry(retry =>
            {
                retry.Intervals(100, 500, 2000);
                retry.Ignore<PermanentException>();
            }));
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        services.Configure<MassTransitHostOptions>(options =>
        {
            // What is published before a queue is bound vanishes: nothing may be sent before the bus stands.
            options.WaitUntilStarted = true;
            options.StopTimeout = TimeSpan.FromSeconds(10);
        });
        services.AddHostedService<OutboxDispatcher>();
        services.AddHostedService<Reconciler>();
        return services;
    }

    /// <summary>Registers what a service derives as owed from its state.</summary>
    public static IServiceCollection AddReconciliation(this IServiceCollection services, string name, Func<Transaction, long, Task<int>> publish) =>
        services.AddSingleton(new Reconciliation(name, publish));
}
