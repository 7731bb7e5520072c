using System.Diagnostics;

namespace DmlPipeline.Storage;

/// <summary>Pauses that double from the first to the longest, with chance in them so that many do not come back at once.</summary>
internal sealed class Patience(TimeSpan limit, TimeSpan first, TimeSpan longest)
{
    private readonly long begun = Stopwatch.GetTimestamp();
    private int waits;

    /// <summary>For servers that are away or busy: from a tenth of a second to ten seconds.</summary>
    public Patience(TimeSpan limit)
        : this(limit, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10))
    {
    }

    /// <returns>False when the limit is reached.</returns>
    public async Task<bool> Wait(CancellationToken cancel)
    {
        if (Stopwatch.GetElapsedTime(begun) >= limit) return false;
        var pause = Math.Min(longest.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Min(waits++, 20)));
        await Task.Delay(TimeSpan.FromSeconds(pause * (0.5 + 0.5 * Random.Shared.NextDouble())), cancel);
        return true;
    }
}
