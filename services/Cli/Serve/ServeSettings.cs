using System.Net;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Ingestion.Events;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Training.Processes;

namespace DmlPipeline.Cli.Serve;

/// <summary>All that <c>dml serve</c> was told, read and checked as far as that goes without asking any server.</summary>
internal sealed record ServeSettings
{
    public required IReadOnlyList<PipelineService> Services { get; init; }

    public required BusSettings Bus { get; init; }

    /// <summary>A folder; not used when there is a <see cref="Bucket"/>.</summary>
    public required string StoreFolder { get; init; }

    public S3Settings? Bucket { get; init; }

    public string Store => Bucket?.ToString() ?? StoreFolder;

    /// <summary>How the bucket tells of new objects; null when it is not asked to, or nobody here would listen.</summary>
    public EventSettings? Events { get; init; }

    /// <summary>A SQLite file, or the address of a PostgreSQL database.</summary>
    public required string Database { get; init; }

    public string? DatabaseUser { get; init; }

    public string? DatabasePassword { get; init; }

    public required IPEndPoint Listen { get; init; }

    public required IReadOnlyList<string> Hosts { get; init; }

    public required string Work { get; init; }

    public Uri? Otlp { get; init; }

    public bool LogsJson { get; init; }

    public TimeSpan WaitFor { get; init; }

    /// <summary>The machines that this process leads in training; null for this one alone.</summary>
    public GroupMembership? Group { get; init; }

    /// <summary>How this process starts others that train along with it.</summary>
    public required CompanionCommand Companions { get; init; }

    /// <summary>Options of the services, from the settings file.</summary>
    public required IReadOnlyDictionary<string, string?> Options { get; init; }

    /// <summary>What the process is called in logs, traces and at the broker: <c>dml-training</c>.</summary>
    public string ProcessName => $"dml-{string.Join('+', Services.Select(service => service.Name))}";

    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public static ServeSettings Read(SettingSources sources, IReadOnlyList<PipelineService> services, PipelineHome home)
    {
        var bus = sources.Bus($"dml-{string.Join('+', services.Select(service => service.Name))}");
        if (bus.IsMemory && PipelineService.Core.Except(services).Any())
            throw new SettingException(
                Settings.Bus.Name, "a bus in memory reaches no other process, and these are not all services: name a broker, rabbitmq://HOST. To have them all in one process: dml serve all, or dml up");
        var work = Path.GetFullPath(sources[Settings.Work] ?? home.Path);
        var listen = ListenOn(sources[Settings.Listen], services);
        var bucket = BucketOf(sources, work);
        return new ServeSettings
        {
            Services = services,
            Bus = bus,
            StoreFolder = sources[Settings.Store] ?? home.StoreFolder,
            Bucket = bucket,
            Events = services.Contains(PipelineService.Ingestion) ? EventsOf(sources, bus, bucket) : null,
            Database = sources[Settings.Database] ?? home.DatabaseFile,
            DatabaseUser = sources[Settings.DatabaseUser],
            DatabasePassword = sources[Settings.DatabasePassword],
            Listen = listen,
            Hosts = HostNames(sources[Settings.Hosts], listen),
            Work = work,
            Otlp = Collector(sources[Settings.Otlp]),
            LogsJson = (sources[Settings.Log] ?? "text") switch
            {
                "text" => false,
                "json" => true,
                var other => throw new SettingException(Settings.Log.Name, $"'{other}' is neither text nor json"),
            },
            WaitFor = TimeSpan.FromSeconds(sources.Number(Settings.WaitFor, from: 0, to: 3600)),
            Group = GroupSettings.Read(sources),
            Companions = Companion.Command(home, sources.Given),
            Options = sources.FromFile.Options,
        };
    }

    /// <summary>Store and database of a pipeline of many processes, for who looks at it from outside.</summary>
    /// <returns>Null when neither is named.</returns>
    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public static PipelinePlaces? ReadPlaces(SettingSources sources, string work)
    {
        if (sources[Settings.Database] is null && sources[Settings.Store] is null) return null;
        const string all = "a pipeline of many processes";
        return new PipelinePlaces(
            BucketOf(sources, work), sources[Settings.Store] ?? throw SettingSources.Missing(Settings.Store, all),
            sources[Settings.Database] ?? throw SettingSources.Missing(Settings.Database, all), sources[Settings.DatabaseUser], sources[Settings.DatabasePassword]);
    }

    /// <returns>Null when the store is a folder.</returns>
    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public static S3Settings? BucketOf(SettingSources sources, string work)
    {
        if (sources[Settings.Store] is not { } address || !address.Contains("://", StringComparison.Ordinal)) return null;
        try
        {
            var (endpoint, bucket) = S3Settings.ParseAddress(address);
            return new S3Settings
            {
                Endpoint = endpoint,
                Bucket = bucket,
                AccessKey = sources[Settings.StoreAccessKey] ?? throw SettingSources.Missing(Settings.StoreAccessKey, address),
                SecretKey = sources[Settings.StoreSecretKey] ?? throw SettingSources.Missing(Settings.StoreSecretKey, address),
                Region = sources[Settings.StoreRegion] ?? Settings.StoreRegion.Default!,
                CacheFolder = Path.GetFullPath(sources[Settings.StoreCache] ?? Path.Combine(work, "cache")),
            };
        }
        catch (StoreException e)
        {
            throw new SettingException(e.Setting ?? Settings.Store.Name, e.Message, e);
        }
    }

    private static EventSettings? EventsOf(SettingSources sources, BusSettings bus, S3Settings? bucket)
    {
        var how = sources[Settings.Events] ?? Settings.Events.Default;
        if (how == "none") return null;
        if (how is not ("amqp" or "required")) throw new SettingException(Settings.Events.Name, $"'{how}' is neither none, amqp nor required");
        if (bus.IsMemory || bucket is null)
            throw new SettingException(Settings.Events.Name, "they lead from a bucket over a broker: give both, as store and bus, or leave events at none; files in a folder are noticed without");
        var broker = sources[Settings.EventsBroker] is { } address ? BusSettings.Parse(address, Settings.EventsBroker.Name) : bus;
        if (broker.IsMemory) throw new SettingException(Settings.EventsBroker.Name, "the store reaches no memory of this process: write rabbitmq://HOST[:PORT][/VIRTUAL-HOST]");
        var user = sources[Settings.EventsUser];
        var password = sources[Settings.EventsPassword];
        if (user is not null && password is null) throw SettingSources.Missing(Settings.EventsPassword, $"{Settings.EventsUser.Name} {user}");
        return new EventSettings
        {
            IsRequired = how == "required",
            Target = sources[Settings.EventsTarget],
            Broker = broker with { User = user ?? bus.User, Password = password ?? bus.Password },
        };
    }

    private static IPEndPoint ListenOn(string? text, IReadOnlyList<PipelineService> services)
    {
        if (text is null) return new IPEndPoint(IPAddress.Loopback, services.Contains(PipelineService.Registry) ? 5180 : 0);
        return IPEndPoint.TryParse(text, out var address) && text.Contains(':', StringComparison.Ordinal)
            ? address
            : throw new SettingException(Settings.Listen.Name, $"'{text}' is no address to listen on: write ADDRESS:PORT, for example 127.0.0.1:5180, or 0.0.0.0:8080 for every network of this machine");
    }

    private static string[] HostNames(string? text, IPEndPoint listen) =>
        text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        // On loopback only this machine's programs are meant, and not a web page that has a name of its own point there (DNS rebinding).
        ?? (IPAddress.IsLoopback(listen.Address) ? ["localhost", "127.0.0.1", "[::1]"] : ["*"]);

    private static Uri? Collector(string? text) =>
        text is null ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri
        : throw new SettingException(Settings.Otlp.Name, $"'{text}' is no address of a collector: write http://HOST:4317");
}

/// <param name="Bucket">Of the store; null when that is a folder.</param>
/// <param name="StoreFolder">Not used when there is a bucket.</param>
/// <param name="Database">A SQLite file, or the address of a PostgreSQL database.</param>
/// <param name="DatabaseUser">For PostgreSQL.</param>
/// <param name="DatabasePassword">For PostgreSQL.</param>
internal sealed record PipelinePlaces(S3Settings? Bucket, string StoreFolder, string Database, string? DatabaseUser, string? DatabasePassword);
