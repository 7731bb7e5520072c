using System.Diagnostics;

namespace DmlPipeline.Storage;

/// <summary>
/// The clock of leases, claims and everything else that processes compare with each other: the database server's where there is one,
/// because the clocks of many machines differ and jump. Between two looks at it a counter goes on that nobody can set.
/// </summary>
internal sealed class PipelineClock : TimeProvider
{
    /// <summary>Of this process, whatever databases it has open: servers that are in order agree about the time.</summary>
    public static readonly PipelineClock Shared = new();

    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private sealed record Seen(long Milliseconds, long At);

    private volatile Seen? seen;

    /// <summary>Unix milliseconds; by this machine's clock until a server has told better.</summary>
    public long Now => seen is { } last ? last.Milliseconds + (long)Stopwatch.GetElapsedTime(last.At).TotalMilliseconds : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Now);

    /// <summary>Whether the server was not asked for so long that its clock may have been set, or this machine may have slept.</summary>
    public bool IsDue => seen is not { } last || Stopwatch.GetElapsedTime(last.At) > LookEvery;

    /// <param name="milliseconds">Unix milliseconds that the server told.</param>
    /// <param name="asked">When it was asked, by <see cref="Stopwatch.GetTimestamp"/>: half of the time since then the answer was on its way.</param>
    public void Follow(long milliseconds, long asked)
    {
        var now = Stopwatch.GetTimestamp();
        seen = new Seen(milliseconds + (long)(Stopwatch.GetElapsedTime(asked, now) / 2).TotalMilliseconds, now);
    }
}
