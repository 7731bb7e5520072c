namespace DmlPipeline.Learning.Training;

/// <summary>Trained time over all sessions, and the speed of this one.</summary>
internal sealed class TrainingClock(TimeProvider time, double secondsBefore)
{
    private const double ReportEverySeconds = 1;
    private readonly long start = time.GetTimestamp();
    private double reported, checkpointed, waitedSeconds;
    private double? progressAtStart;
    private long images;

    /// <summary>Trained in all.</summary>
    public double Seconds => secondsBefore + Session;

    public double ImagesPerSecond => Session > 0 ? images / Session : 0;

    /// <summary>0..1 of the time since the start or resume.</summary>
    public double WaitedShare => Session > 0 ? Math.Min(1, waitedSeconds / Session) : 0;

    public double SecondsSinceCheckpoint => Session - checkpointed;

    private double Session => time.GetElapsedTime(start).TotalSeconds;

    public void Count(int more, TimeSpan waited)
    {
        images += more;
        waitedSeconds = waited.TotalSeconds;
    }

    public void CheckpointSaved() => checkpointed = Session;

    public bool IsTimeToReport()
    {
        if (Session - reported < ReportEverySeconds) return false;
        reported = Session;
        return true;
    }

    /// <summary>At the speed since the start or resume; null until there is one.</summary>
    public double? SecondsLeft(double progress)
    {
        progressAtStart ??= progress;
        var done = progress - progressAtStart.Value;
        return done > 0 ? Session / done * Math.Max(0, 1 - progress) : null;
    }
}
