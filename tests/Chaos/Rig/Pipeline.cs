using System.Diagnostics;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using Npgsql;

namespace DmlPipeline.Chaos.Rig;

/// <summary>All that runs in one run: three servers, a relay before each, and the services as processes of their own.</summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private static readonly string[] Names = ["ingestion-1", "ingestion-2", "training-1", "training-2", "evaluation-1", "registry-1", "scheduling-1"];

    // Of bucket and database.
    private const string Name = "chaos";

    // Two epochs of a small net on a few dozen small images: a second or two.
    private const string Recipe = "backbone: conv4\nepochs: 2\nimage: { size: 28 }\nthreads: 1";

    private readonly ChaosOptions options;
    private readonly CancellationTokenSource ended = new();
    private Task running = Task.CompletedTask;

    private Pipeline(ChaosOptions options)
    {
        this.options = options;
        Servers = new Servers(options.RunningServers ?? options.Folder);
        Services = [.. Names.Select(name => new ServiceProcess(name, name[..name.IndexOf('-')], options.Folder, Environment))];
    }

    public Servers Servers { get; }

    public IReadOnlyList<ServiceProcess> Services { get; }

    public Witness Witness { get; private set; } = null!;

    /// <summary>Between services and servers. What this program itself looks at and drops does not pass them.</summary>
    public Relay Broker { get; private set; } = null!;

    public Relay DatabaseServer { get; private set; } = null!;

    public Relay StoreServer { get; private set; } = null!;

    public Database Database { get; private set; } = null!;

    public S3Store Store { get; private set; } = null!;

    /// <summary>The broker itself, for this program.</summary>
    public BusSettings Bus =>
        BusSettings.Parse($"rabbitmq://127.0.0.1:{Servers["RABBITMQ_PORT"]}") with { User = Servers["RABBITMQ_USER"], Password = Servers["RABBITMQ_PASSWORD"] };

    public static async Task<Pipeline> Start(ChaosOptions options, CancellationToken cancel)
    {
        Directory.CreateDirectory(options.Folder);
        var pipeline = new Pipeline(options);
        try
        {
            await pipeline.StartServers(cancel);
            pipeline.running = Task.WhenAll(pipeline.Services.Select(service => service.Run(pipeline.ended.Token)).Append(pipeline.Witness.Run(pipeline.ended.Token)));
            return pipeline;
        }
        catch
        {
            await pipeline.DisposeAsync();
            throw;
        }
    }

    /// <summary>A service process that runs now, or the named one.</summary>
    public ServiceProcess? Running(Random random)
    {
        var alive = Services.Where(service => service.Id is not null).ToList();
        return alive.Count == 0 ? null : alive[random.Next(alive.Count)];
    }

    /// <summary>Looks into the database, which may be restarting at this moment.</summary>
    public async Task<T> Patiently<T>(Func<Database, Task<T>> look, CancellationToken cancel)
    {
        for (var end = DateTime.UtcNow.AddMinutes(1); ;)
        {
            try
            {
                return await look(Database);
            }
            catch (NpgsqlException) when (DateTime.UtcNow < end)
            {
                await Task.Delay(200, cancel);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Database?.Dispose();
        Store?.Dispose();
        foreach (var relay in new[] { Broker, DatabaseServer, StoreServer })
            if (relay is not null) await relay.DisposeAsync();
        if (options.RunningServers is null) await Servers.End(options.Keep ? "down" : "wipe");
        if (!options.Keep && Directory.Exists(options.Folder)) Directory.Delete(options.Folder, recursive: true);
        ended.Dispose();
    }

    private async Task StartServers(CancellationToken cancel)
    {
        Guard();
        if (options.RunningServers is null) await Servers.Up(options.Keep, cancel);
        Servers.ReadSettings();
        await Compile(cancel);
        Broker = new Relay(int.Parse(Servers["RABBITMQ_PORT"]));
        DatabaseServer = new Relay(int.Parse(Servers["POSTGRES_PORT"]));
        StoreServer = new Relay(new Uri(Servers["S3_ENDPOINT"]).Port);
        Store = await S3Store.Open(
            new S3Settings
            {
                Endpoint = new Uri(Servers["S3_ENDPOINT"]), Bucket = Name, AccessKey = Servers["S3_ACCESS_KEY"], SecretKey = Servers["S3_SECRET_KEY"],
                CacheFolder = Path.Combine(options.Folder, "cache"),
            },
            createBucket: true, cancel);
        await using (var server = new NpgsqlConnection(ConnectionTo(Servers["POSTGRES_DATABASE"])))
        {
            await server.OpenAsync(cancel);
            await using var create = new NpgsqlCommand($"create database {Name}", server);
            await create.ExecuteNonQueryAsync(cancel);
        }
        Database = await Database.Open($"postgres://127.0.0.1:{Servers["POSTGRES_PORT"]}/{Name}", Servers["POSTGRES_USER"], Servers["POSTGRES_PASSWORD"], cancel);
        Witness = new Witness(ConnectionTo(Name));
        await Witness.Install(cancel);
    }

    private string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1", Port = int.Parse(Servers["POSTGRES_PORT"]), Database = database, Username = Servers["POSTGRES_USER"], Password = Servers["POSTGRES_PASSWORD"],
        ApplicationName = Name, Pooling = false,
    }.ConnectionString;

    private Dictionary<string, string> Environment(ServiceProcess service) => new(StringComparer.Ordinal)
    {
        ["PATH"] = System.Environment.GetEnvironmentVariable("PATH")!,
        ["HOME"] = options.Folder,
        ["LANG"] = "C.UTF-8",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        // .NET would keep its code in a file in memory, to which the limit of a simulated full disk applies, and end as it starts (exit code 134 or 137).
        ["DOTNET_EnableWriteXorExecute"] = "0",
        ["LIBTORCH"] = System.Environment.GetEnvironmentVariable("LIBTORCH") ?? "",
        ["LD_PRELOAD"] = Clock,
        ["CHAOS_CLOCK"] = service.ClockFile,
        ["DML_BUS"] = $"rabbitmq://127.0.0.1:{Broker.Port}",
        ["DML_BUS_USER"] = Servers["RABBITMQ_USER"],
        ["DML_BUS_PASSWORD"] = Servers["RABBITMQ_PASSWORD"],
        ["DML_STORE"] = $"http://127.0.0.1:{StoreServer.Port}/{Name}",
        ["DML_STORE_ACCESS_KEY"] = Servers["S3_ACCESS_KEY"],
        ["DML_STORE_SECRET_KEY"] = Servers["S3_SECRET_KEY"],
        // By its name the witness knows who commits.
        ["DML_DATABASE"] = $"postgres://127.0.0.1:{DatabaseServer.Port}/{Name}?applicationname={service.Name}",
        ["DML_DATABASE_USER"] = Servers["POSTGRES_USER"],
        ["DML_DATABASE_PASSWORD"] = Servers["POSTGRES_PASSWORD"],
        ["DML_LISTEN"] = "127.0.0.1:0",
        ["DML_WAIT_FOR"] = "300",
        ["DML_INBOX__SETTLESECONDS"] = "1",
        ["DML_INBOX__LISTSECONDS"] = "2",
        ["DML_INGESTION__THREADS"] = "1",
        ["DML_TRAINING__RECIPE"] = Recipe,
    };

    private string Clock => Path.Combine(options.Folder, "clock.so");

    private async Task Compile(CancellationToken cancel)
    {
        using var compiler = Process.Start("g++", ["-O1", "-shared", "-fPIC", "-fno-threadsafe-statics", "-o", Clock, Path.Combine(AppContext.BaseDirectory, "Rig", "clock.cpp"), "-ldl"]);
        await compiler.WaitForExitAsync(cancel);
        if (compiler.ExitCode != 0) throw new InvalidOperationException("The clock that can be set wrong could not be compiled: infra/setup installs g++.");
    }

    /// <summary>However this process ends, its services end too. Only what still is one of them: process ids come again.</summary>
    private void Guard() =>
        Process.Start("setsid",
        [
            "--fork", "bash", "-c",
            "tail --pid=\"$1\" -f /dev/null; for file in \"$2\"/*.pid; do id=$(cat \"$file\") && grep -qaF \"$2\" \"/proc/$id/cmdline\" && kill -9 \"$id\"; done 2> /dev/null",
            "guard", $"{System.Environment.ProcessId}", options.Folder,
        ]).Dispose();
}
