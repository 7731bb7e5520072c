namespace DmlPipeline.Torch;

/// <summary>Where the processes of a group find each other.</summary>
public sealed record MeetingPoint
{
    private const string Loopback = "loopback";

    private MeetingPoint()
    {
    }

    /// <summary>A file that all processes can write; null for a port.</summary>
    public string? File { get; private init; }

    /// <summary>Of rank 0; null for a file.</summary>
    public string? Host { get; private init; }

    public int Port { get; private init; }

    /// <summary>Whether something else than rank 0 serves the port, as torchrun does.</summary>
    public bool IsHosted { get; private init; }

    /// <summary>The network interface that processes reach each other by, such as <c>eth0</c>; null for that of this machine's host name.</summary>
    public string? Network { get; private init; }

    /// <summary>For processes of one machine: a file that does not exist yet, in a folder that only its user can reach. Nothing listens but on loopback.</summary>
    public static MeetingPoint OfThisMachine(string file) => new() { File = Path.GetFullPath(file), Network = Loopback };

    /// <summary>For processes of many machines on a network that is trusted: whoever reaches the port can join.</summary>
    public static MeetingPoint At(string host, int port, string? network = null, bool isHosted = false) =>
        new() { Host = host, Port = port, Network = network, IsHosted = isHosted };

    public override string ToString() => File ?? $"{Host}:{Port}";
}
