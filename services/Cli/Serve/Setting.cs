using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli.Serve;

/// <summary>Something that a process is told at its start: by a flag, else by an environment variable, else by the settings file.</summary>
/// <param name="Name">As in the settings file and in errors.</param>
/// <param name="Holds">What kind of value, for the help.</param>
/// <param name="Does">What it is for.</param>
internal sealed record Setting(string Name, string Holds, string Does)
{
    /// <summary>Said in the help; what a missing value means is up to who reads it.</summary>
    public string? Default { get; init; }

    /// <summary>Never on a command line, which every user of the machine can list; in a file or the environment.</summary>
    public bool IsSecret { get; init; }

    public string Flag => IsSecret ? $"--{Name}-file" : $"--{Name}";

    public string Variable => $"DML_{Name.ToUpperInvariant().Replace('-', '_')}";

    public string FileVariable => $"{Variable}_FILE";

    public string HowToSet =>
        IsSecret ? $"write it into a file and name that with {Flag} or {FileVariable}, or set {Variable}" : $"set it with {Flag}, with {Variable}, or as {Name}: in the settings file";
}

/// <summary>The settings of single services.</summary>
internal static class Settings
{
    public static readonly Setting Bus = new("bus", "ADDRESS", "memory, or rabbitmq://HOST[:PORT][/VIRTUAL-HOST]; rabbitmqs:// for TLS") { Default = "memory" };
    public static readonly Setting BusUser = new("bus-user", "NAME", "User at the broker");
    public static readonly Setting BusPassword = new("bus-password", "FILE", "Password at the broker") { IsSecret = true };
    public static readonly Setting BusPrefetch = new("bus-prefetch", "N", "Messages of a queue that one process takes at a time") { Default = "16" };
    public static readonly Setting Store = new("store", "ADDRESS", "A folder, or a bucket: http[s]://HOST[:PORT]/BUCKET") { Default = "the home's" };
    public static readonly Setting StoreAccessKey = new(S3Settings.AccessKeyName, "KEY", "Access key for the bucket");
    public static readonly Setting StoreSecretKey = new(S3Settings.SecretKeyName, "FILE", "Secret key for the bucket") { IsSecret = true };
    public static readonly Setting StoreRegion = new(S3Settings.RegionName, "NAME", "Region of the bucket") { Default = "us-east-1" };
    public static readonly Setting StoreCache = new(S3Settings.CacheName, "FOLDER", "Local copies of objects of the bucket") { Default = "in work" };
    public static readonly Setting Events = new("events", "HOW", "Whether ingestion asks the bucket to tell of new objects through the broker: none, amqp (where that fails they are found by listing), required") { Default = "none" };
    public static readonly Setting EventsTarget = new("events-target", "ARN", "What the store calls the broker, where its administrator has named it one; with MinIO arn:minio:sqs::PRIMARY:amqp") { Default = "the store is told, as Ceph wants it" };
    public static readonly Setting EventsBroker = new("events-broker", "ADDRESS", "The broker as the store reaches it") { Default = "bus" };
    public static readonly Setting EventsUser = new("events-user", "NAME", "Who the store is at the broker") { Default = "bus-user" };
    public static readonly Setting EventsPassword = new("events-password", "FILE", "Password of the store at the broker") { IsSecret = true, Default = "bus-password" };
    public static readonly Setting Database = new("database", "ADDRESS", "A SQLite file, or postgres://HOST[:PORT]/DATABASE") { Default = "the home's" };
    public static readonly Setting DatabaseUser = new("database-user", "NAME", "User at PostgreSQL");
    public static readonly Setting DatabasePassword = new("database-password", "FILE", "Password at PostgreSQL") { IsSecret = true };
    public static readonly Setting Listen = new("listen", "ADDRESS:PORT", "Where HTTP is served: health, metrics, and the registry") { Default = "127.0.0.1, 5180 for the registry, else any free port" };
    public static readonly Setting Hosts = new("hosts", "NAMES", "Host names, by commas, under which the registry may be asked; * for any") { Default = "on loopback this machine's, else any" };
    public static readonly Setting Work = new("work", "FOLDER", "Scratch space; what must last is in the store") { Default = "the home's" };
    public static readonly Setting Otlp = new("otlp", "ADDRESS", "OpenTelemetry collector for traces: http://HOST:4317 (gRPC) or :4318 (HTTP)");
    public static readonly Setting Log = new("log", "FORM", "text, or json for a line of JSON each on stdout") { Default = "text" };
    public static readonly Setting WaitFor = new("wait-for", "SECONDS", "How long to wait at the start for a broker, store or database that gives no answer yet") { Default = "60" };

    public static readonly Setting Group = new("group", "HOST:PORT", "Where processes of several machines that train together meet: on the machine of rank 0. Or MASTER_ADDR and MASTER_PORT");
    public static readonly Setting GroupRank = new("group-rank", "N", "Number of this process in the group, from 0, which takes the jobs. Or RANK");
    public static readonly Setting GroupSize = new("group-size", "N", "How many processes the group has. Or WORLD_SIZE");
    public static readonly Setting GroupNetwork = new("group-network", "NAME", "Network interface by which the others reach this process. Or GLOO_SOCKET_IFNAME") { Default = "that of this machine's host name" };

    public static readonly Setting KeepCheckpoints = new("keep-checkpoints", "DAYS", "For how long every ended run keeps the checkpoint that it could be resumed from") { Default = "30" };
    public static readonly Setting KeepLast = new("keep-last", "RUNS", "How many of a dataset's newest runs keep it however old; those of aliases such as champion always do") { Default = "1" };

    /// <summary>Those of what is kept.</summary>
    public static readonly IReadOnlyList<Setting> OfCare = [KeepCheckpoints, KeepLast];

    /// <summary>Those that reach the broker.</summary>
    public static readonly IReadOnlyList<Setting> OfBus = [Bus, BusUser, BusPassword];

    /// <summary>Those that reach state and objects.</summary>
    public static readonly IReadOnlyList<Setting> OfPlaces = [Store, StoreAccessKey, StoreSecretKey, StoreRegion, Database, DatabaseUser, DatabasePassword];

    /// <summary>Those of <c>dml serve</c>.</summary>
    public static readonly IReadOnlyList<Setting> All = [.. OfBus, BusPrefetch, Store, StoreAccessKey, StoreSecretKey, StoreRegion, StoreCache, Events, EventsTarget, EventsBroker, EventsUser, EventsPassword, Database, DatabaseUser, DatabasePassword, Listen, Hosts, Work, Otlp, Log, WaitFor, Group, GroupRank, GroupSize, GroupNetwork];

    /// <summary>All that a settings file may hold.</summary>
    public static readonly IReadOnlyList<Setting> Known = [.. All, .. OfCare];
}
