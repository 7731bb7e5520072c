namespace DmlPipeline.Tests.Pipeline.Month;

/// <summary>Runs as fast as real time, and jumps when it is told to.</summary>
internal sealed class MonthClock(DateTimeOffset start) : TimeProvider
{
    private readonly long begun = System.GetTimestamp();
    private TimeSpan jumped;

    public override DateTimeOffset GetUtcNow() => start + System.GetElapsedTime(begun) + jumped;

    /// <summary>Never back: what has happened stays in the past.</summary>
    public void Reach(DateTimeOffset time)
    {
        var left = time - GetUtcNow();
        if (left < TimeSpan.Zero) throw new InvalidOperationException($"It is {GetUtcNow():u} already, later than {time:u}: the nights take longer than the gaps that the plan leaves.");
        jumped += left;
    }
}
