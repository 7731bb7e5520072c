using System.Net;
using System.Net.Sockets;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Registry;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;
using DmlPipeline.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Local;

/// <summary>The whole pipeline in one process: every service, an in-memory bus, a folder as store, SQLite for state.</summary>
public sealed class LocalPipeline : IAsyncDisposable
{
    private readonly WebApplication host;
    private readonly FileStream heldHome;

    private LocalPipeline(WebApplication app, FileStream homeLock, PipelineHome home)
    {
        host = app;
        heldHome = homeLock;
        Home = home;
    }

    public PipelineHome Home { get; }

    public Database Database => host.Services.GetRequiredService<Database>();

    public IArtifactStore Store => host.Services.GetRequiredService<IArtifactStore>();

    /// <summary>Of the HTTP interface, on loopback.</summary>
    public string Address => host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Starts the pipeline; what an earlier process left unfinished goes on.</summary>
    /// <exception cref="InvalidOperationException">Another pipeline runs on this home.</exception>
    public static async Task<LocalPipeline> Start(LocalSettings settings, CancellationToken cancel)
    {
        var home = settings.Home;
        var homeLock = home.Lock();
        Database? database = null;
        try
        {
            database = await home.OpenDatabase(cancel);
            await CleanUp(home, database, cancel);
            var app = Compose(settings, database);
            await app.StartAsync(cancel);
            var pipeline = new LocalPipeline(app, homeLock, home);
            home.WriteRunning(new RunningPipeline(Environment.ProcessId, pipeline.Address, DateTimeOffset.UtcNow));
            return pipeline;
        }
        catch
        {
            database?.Dispose();
            await homeLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the services; running work saves itself first and goes on at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        var database = Database;
        await host.StopAsync(CancellationToken.None);
        await host.DisposeAsync();
        database.Dispose();
        await heldHome.DisposeAsync();
    }

    /// <summary>The lock says that nobody else works on this home: whoever held a lease or was writing a file is dead.</summary>
    private static async Task CleanUp(PipelineHome home, Database database, CancellationToken cancel)
    {
        await database.ReleaseAll(cancel);
        await database.UnclaimAll(cancel);
        await database.LeaveAll(cancel);
        if (Directory.Exists(home.TemporaryFolder)) Directory.Delete(home.TemporaryFolder, recursive: true);
        Directory.CreateDirectory(home.TemporaryFolder);
        var store = home.OpenStore();
        // `dml drop` may be copying into the inbox at this moment: what it writes stays.
        foreach (var prefix in new[] { "inbox", "datasets", "quarantine", "runs", "models" }) store.DeleteAbandoned(prefix);
    }

    private static WebApplication Compose(LocalSettings settings, Database database)
    {
        var home = settings.Home;
        // The slim builder reads no appsettings.json from wherever the user happens to stand.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, FreePort(settings.Port)));
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(new FileLog(home.LogFile));
        if (settings.LogToTerminal) builder.Logging.AddProvider(new TerminalLog());
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MassTransit", LogLevel.Warning);
        builder.Logging.AddFilter("Quartz", LogLevel.Warning);

        var services = builder.Services;
        // Long work saves a checkpoint when the process stops.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        services.AddSingleton(database).AddSingleton(ScheduleTroubles.Source);
        services.AddSingleton<IArtifactStore>(home.OpenStore());
        services.AddEmbeddedBus(bus =>
        {
            foreach (var service in PipelineService.All) service.AddConsumers(bus);
        });
        foreach (var service in PipelineService.All) service.AddServices(services, database);
        services.Configure<TrainingOptions>(training => training.WorkFolder = home.WorkFolder);
        services.Configure<IngestionOptions>(ingestion => ingestion.TemporaryFolder = home.TemporaryFolder);
        services.Configure<RegistryOptions>(registry =>
        {
            if (File.Exists(home.GateFile)) registry.GateFile = home.GateFile;
            if (File.Exists(home.TokenFile)) registry.TokenFile = home.TokenFile;
        });
        if (settings.Companions is { } companions) services.AddSingleton(companions);
        if (settings.Training is not null) services.Configure(settings.Training);
        if (settings.Inbox is not null) services.Configure(settings.Inbox);

        var app = builder.Build();
        app.Use(OnlyForThisMachine);
        app.MapGet("/health/live", () => "live");
        foreach (var service in PipelineService.All) service.MapRoutes(app);
        return app;
    }

    /// <summary>Refuses other host names, by which a web page could reach this interface from the user's browser (DNS rebinding).</summary>
    private static Task OnlyForThisMachine(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Host.Host is not ("localhost" or "127.0.0.1" or "[::1]"))
        {
            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return Task.CompletedTask;
        }
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return next(context);
    }

    private static int FreePort(int preferred)
    {
        foreach (var port in new[] { preferred, 0 })
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // In use: take any other.
            }
        }
        return 0;
    }
}
