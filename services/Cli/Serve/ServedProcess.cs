using System.Data.Common;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Observability;
using DmlPipeline.Ingestion;
using DmlPipeline.Local;
using DmlPipeline.Scheduling;
using DmlPipeline.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;
using RabbitMQ.Client.Exceptions;

namespace DmlPipeline.Cli.Serve;

/// <summary>One process with some of the services, on servers that it shares with others.</summary>
internal sealed class ServedProcess : IAsyncDisposable
{
    // Less than the 30 seconds that container platforms wait before they kill.
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(25);

    // Half a minute in all: then whoever runs the process is told.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(16);

    private readonly WebApplication host;

    private ServedProcess(WebApplication host) => this.host = host;

    /// <summary>Of the HTTP interface.</summary>
    public string Address => host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Waits until it is asked to end.</summary>
    /// <returns>False when it ends unasked, because one of its parts has failed for good: whoever runs it has to start it again.</returns>
    public async Task<bool> UntilAsked(CancellationToken cancel)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel, host.Lifetime.ApplicationStopping);
        await Task.Delay(Timeout.Infinite, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return cancel.IsCancellationRequested;
    }

    /// <summary>Starts the services; a server that goes away meanwhile is waited for, and <paramref name="told"/> hears of it.</summary>
    /// <exception cref="SettingException">An option of a service is wrong, or the port is taken.</exception>
    public static async Task<ServedProcess> Start(ServeSettings settings, Backends backends, Action<string> told, CancellationToken cancel)
    {
        for (var pause = FirstPause; ; pause *= 2)
        {
            try
            {
                return await StartOnce(settings, backends, cancel);
            }
            catch (Exception e) when (e is DbException or SchedulerException or RabbitMQClientException && pause <= LongestPause && !cancel.IsCancellationRequested)
            {
                told($"a server went away while the services started ({e.Message.TrimEnd('.')}); they start again");
                await Task.Delay(pause, cancel);
            }
        }
    }

    /// <exception cref="SettingException">An option of a service is wrong, or the port is taken.</exception>
    private static async Task<ServedProcess> StartOnce(ServeSettings settings, Backends backends, CancellationToken cancel)
    {
        var app = Compose(settings, backends);
        try
        {
            await app.StartAsync(cancel);
            return new ServedProcess(app);
        }
        catch (OptionsValidationException e)
        {
            await app.DisposeAsync();
            throw new SettingException("settings", string.Join("; ", e.Failures), e);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await app.DisposeAsync();
            throw new SettingException(Settings.Listen.Name, $"{settings.Listen} is in use by another program: choose another port, or port 0 for any", e);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops taking work and hands back what is under way; a training saves a checkpoint first.</summary>
    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        await host.DisposeAsync();
    }

    private static WebApplication Compose(ServeSettings settings, Backends backends)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "dml" });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(settings.Listen));
        // DML_TRAINING__RECIPE sets Training:Recipe.
        builder.Configuration.AddInMemoryCollection(settings.Options).AddEnvironmentVariables("DML_");
        AddLogging(builder.Logging, settings);

        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWithin);
        services.AddSingleton(backends.Database).AddSingleton(backends.Store).AddSingleton(settings.Companions);
        if (settings.Group is { } group) services.AddSingleton(group);
        // First in, last out: the spans of those that stop are still sent.
        if (settings.Otlp is { } collector) services.AddTraceExport(settings.ProcessName, collector);
        services.AddPipelineBus(settings.Bus, bus =>
        {
            foreach (var service in settings.Services) service.AddConsumers(bus);
        });
        // Before the services', which read their sections over these.
        services.Configure<TrainingOptions>(training => training.WorkFolder = Path.Combine(settings.Work, "work"));
        services.Configure<IngestionOptions>(ingestion => ingestion.TemporaryFolder = Directory.CreateDirectory(Path.Combine(settings.Work, "temporary")).FullName);
        foreach (var service in settings.Services) service.AddServices(services, backends.Database);
        if (settings.Events is { } events) services.AddObjectEvents(events);
        services.AddPipelineHealth().AddPipelineMetrics().AddSingleton(ScheduleTroubles.Source);
        services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = [.. settings.Hosts]);

        var app = builder.Build();
        // Probes and scrapers ask by whatever address they found.
        app.UseWhen(
            context => !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal) && context.Request.Path != "/metrics",
            asked => asked.UseHostFiltering());
        app.MapPipelineHealth();
        app.MapPipelineMetrics();
        foreach (var service in settings.Services) service.MapRoutes(app);
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging, ServeSettings settings)
    {
        logging.ClearProviders();
        if (settings.LogsJson) logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        else logging.AddProvider(new TerminalLog());
        foreach (var library in new[] { "Microsoft", "MassTransit", "Quartz" }) logging.AddFilter(library, LogLevel.Warning);
    }
}
