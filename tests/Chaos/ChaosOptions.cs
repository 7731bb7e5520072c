namespace DmlPipeline.Chaos;

/// <summary>What a run is asked to do.</summary>
internal sealed record ChaosOptions
{
    public int Drops { get; init; } = 50;

    public int Kills { get; init; } = 200;

    /// <summary>Decides which faults strike when and whom. What they meet there is up to the processes, and differs from run to run.</summary>
    public required int Seed { get; init; }

    /// <summary>Kinds or names of faults; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>How often each fault that is no kill strikes.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Holds the servers' data and the services' logs. PostgreSQL's user must be able to pass through.</summary>
    public required string Folder { get; init; }

    /// <summary>The folder of servers that run already and go on afterwards; null for servers of this run's own.</summary>
    public string? RunningServers { get; init; }

    public bool Keep { get; init; }

    /// <summary>How long the pipeline may take to come to rest after the last fault.</summary>
    public TimeSpan QuietWithin { get; init; } = TimeSpan.FromMinutes(15);
}
