namespace DmlPipeline.Hosting.Messaging;

/// <summary>Which bus carries the messages, and how.</summary>
public sealed record BusSettings
{
    /// <summary>The bus of a pipeline that is one process. What it holds is lost with the process.</summary>
    public static readonly BusSettings Memory = new()
    {
        // Short: they cover a busy database. What still fails is owed again, and the reconciler sends it.
        RetryAfter = [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2)],
    };

    /// <summary>RabbitMQ's host name or address; null when the bus lives in memory.</summary>
    public string? Host { get; init; }

    public ushort Port { get; init; } = 5672;

    public string VirtualHost { get; init; } = "/";

    public bool Tls { get; init; }

    public string User { get; init; } = "guest";

    public string Password { get; init; } = "guest";

    /// <summary>Messages that a queue hands to one process at a time. Consumers only write rows: more would wait for the database.</summary>
    public ushort Prefetch { get; init; } = 16;

    /// <summary>Waits between attempts to consume a message, 52 s in all: long enough for what is busy to be free again. Then it is a dead letter.</summary>
    public IReadOnlyList<TimeSpan> RetryAfter { get; init; } =
    [
        TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30),
    ];

    /// <summary>
    /// Wait after database or store turned out to be away or full, for as long as they are; the broker bears that for ten hours, twenty
    /// deliveries of 30 minutes. In memory there is no such wait, because what failed there is owed.
    /// </summary>
    public TimeSpan RetryAfterOutage { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What the broker's administrator reads beside the connection.</summary>
    public string ConnectionName { get; init; } = "dml";

    public bool IsMemory => Host is null;

    /// <summary>For people: without user and password.</summary>
    public override string ToString() =>
        IsMemory ? "memory" : $"rabbitmq{(Tls ? "s" : "")}://{Host}:{Port}{(VirtualHost == "/" ? "" : "/" + Uri.EscapeDataString(VirtualHost))}";

    /// <summary>Reads <c>memory</c> or <c>rabbitmq://host[:port][/virtual-host]</c>; <c>rabbitmqs</c> for TLS.</summary>
    /// <param name="address">Without user and password.</param>
    /// <param name="setting">Which setting it is, for the error.</param>
    /// <exception cref="SettingException">It is neither.</exception>
    public static BusSettings Parse(string address, string setting = "bus")
    {
        const string forms = "write memory, or rabbitmq://HOST[:PORT][/VIRTUAL-HOST] (rabbitmqs:// for TLS)";
        if (address == "memory") return Memory;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("rabbitmq" or "rabbitmqs" or "amqp" or "amqps"))
            throw new SettingException(setting, $"'{Shown(address)}' is no address of a bus: {forms}");
        if (uri.UserInfo.Length > 0)
            throw new SettingException(setting, $"the address holds a user or a password, which logs and process lists would show: give them as {setting.Split('-')[0]}-user and {setting.Split('-')[0]}-password");
        if (uri.Host.Length == 0 || uri.Query.Length > 0 || uri.Segments.Length > 2)
            throw new SettingException(setting, $"'{address}' is no address of a bus: {forms}");
        var tls = uri.Scheme is "rabbitmqs" or "amqps";
        var path = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        return new BusSettings
        {
            Host = uri.Host.Trim('[', ']'), Port = (ushort)(uri.Port > 0 ? uri.Port : tls ? 5671 : 5672), VirtualHost = path.Length == 0 ? "/" : path, Tls = tls,
        };
    }

    /// <summary>A password that was written into an address by mistake is not repeated.</summary>
    private static string Shown(string address) => address.LastIndexOf('@') is >= 0 and var at ? "…" + address[at..] : address;
}
