using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>One process of the pipeline: bus (in memory unless told otherwise), outbox dispatcher and reconciler on a real database.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly IHost host;

    private TestHost(IHost host, Database database)
    {
        this.host = host;
        Database = database;
    }

    public Database Database { get; }

    public IBus Bus => host.Services.GetRequiredService<IBus>();

    public static async Task<TestHost> Start(
        TemporaryFolder folder, Action<IBusRegistrationConfigurator> addConsumers, Action<IServiceCollection>? addServices = null, BusSettings? bus = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var database = await folder.OpenDatabase();
        builder.Services.AddSingleton(database);
        builder.Services.AddPipelineBus(bus ?? BusSettings.Memory, addConsumers);
        addServices?.Invoke(builder.Services);
        var started = builder.Build();
        await started.StartAsync();
        return new TestHost(started, database);
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        Database.Dispose();
    }
}
