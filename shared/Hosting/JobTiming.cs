namespace DmlPipeline.Hosting;

/// <summary>How often a <see cref="JobWorker"/> looks, speaks up and tries again.</summary>
public sealed record JobTiming
{
    public static readonly JobTiming Default = new();

    /// <summary>A worker that was silent for so long has lost its job to another.</summary>
    public TimeSpan LeaseFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Also how long a request to cancel takes to reach the work, at most.</summary>
    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan PollEvery { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a worker says that it is there, and looks whether an urgent job needs somebody to make room.</summary>
    public TimeSpan AnnounceEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Wait after a disk or store turned out to be full, for as long as it is: somebody has to free some of it first.</summary>
    public TimeSpan RetryWhenFull { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Wait after store or database turned out to be away, for as long as they are. Requests have been repeated for half a minute and more by then.</summary>
    public TimeSpan RetryAfterOutage { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan PauseAfterError { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Starts in a row that ended without a word, process and all, before the job fails: it would take the process down for ever.</summary>
    public int MostStarts { get; init; } = 20;

    /// <summary>Waits between attempts, long enough for a busy file or server to have become free; after the last one the job fails.</summary>
    public IReadOnlyList<TimeSpan> RetryAfter { get; init; } =
        [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(16)];
}
