using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Hosting;

public static class PipelineHosting
{
    /// <summary>The parts that every process has, with the bus in memory: what it holds is lost with the process, the reconciler makes up for that.</summary>
    public static IServiceCollection AddEmbeddedBus(this IServiceCollection services, Action<IBusRegistrationConfigurator> addConsumers) =>
        services.AddPipelineBus(BusSettings.Memory, addConsumers);

    /// <summary>The parts that every process has: the bus with the consumers of its services, the outbox dispatcher and the reconciler.</summary>
    public static IServiceCollection AddPipelineBus(this IServiceCollection services, BusSettings settings, Action<IBusRegistrationConfigurator> addConsumers)
    {
        services.AddSingleton(settings);
        // What is published before a queue is bound vanishes: the queues come first, and nothing is sent before the bus stands.
        if (!settings.IsMemory) services.AddHostedService<QueueDeclaration>();
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            bus.ConfigureHealthCheckOptions(options => options.Name = "bus");
            addConsumers(bus);
            bus.AddConfigureEndpointsCallback((queue, endpoint) => RetryMessages(queue, endpoint, settings));
            if (settings.IsMemory) bus.UsingInMemory((context, memory) =>
            {
                memory.UseInstrumentation();
                memory.ConfigureEndpoints(context);
            });
            else UseRabbitMq(bus, settings);
        });
        services.Configure<MassTransitHostOptions>(options =>
        {
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

    private static void RetryMessages(string queue, IReceiveEndpointConfigurator endpoint, BusSettings settings)
    {
        if (!settings.IsMemory) endpoint.UseMessageRetry(retry =>
        {
            retry.Handle<Exception>(HasToWait);
            retry.Incremental(int.MaxValue, settings.RetryAfterOutage, TimeSpan.Zero);
            retry.ConnectRetryObserver(new WaitingMessages(queue));
        });
        // What still fails after these goes to <queue>_error.
        endpoint.UseMessageRetry(retry =>
        {
            retry.Intervals([.. settings.RetryAfter]);
            retry.Ignore<PermanentException>();
            if (!settings.IsMemory) retry.Ignore<Exception>(HasToWait);
        });
    }

    private static bool HasToWait(Exception error) => error is not PermanentException && (Outage.IsMeantBy(error) || NoRoom.IsMeantBy(error));

    private static void UseRabbitMq(IBusRegistrationConfigurator bus, BusSettings settings)
    {
        bus.AddRabbitMqConfigureEndpointsCallback((_, queue, endpoint) => RabbitMqQueues.Configure(endpoint, queue));
        bus.UsingRabbitMq((context, rabbit) =>
        {
            rabbit.Host(settings.Host, settings.Port, settings.VirtualHost, host =>
            {
                host.Username(settings.User);
                host.Password(settings.Password);
                host.ConnectionName(settings.ConnectionName);
                // A publish returns when the broker has the message on its disks, and no sooner.
                host.PublisherConfirmation = true;
                if (settings.Tls) host.UseSsl(ssl => ssl.ServerName = settings.Host);
            });
            rabbit.PrefetchCount = settings.Prefetch;
            rabbit.UseInstrumentation();
            rabbit.SendTopology.ConfigureErrorSettings = RabbitMqQueues.ConfigureErrors;
            rabbit.ConfigureEndpoints(context);
        });
    }
}
