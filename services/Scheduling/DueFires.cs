namespace DmlPipeline.Scheduling;

/// <param name="Fire">The time that came.</param>
/// <param name="Reason">Why it fires, or why not.</param>
/// <param name="Skipped">True when it passes without effect.</param>
public sealed record DueFire(FireTime Fire, string Reason, bool Skipped);

/// <param name="Fires">Oldest first.</param>
/// <param name="LookedUntil">Up to here every time is accounted for.</param>
public sealed record DueTimes(IReadOnlyList<DueFire> Fires, DateTimeOffset LookedUntil);

/// <summary>Which times of a schedule have come since it was last looked at, and what becomes of those that were missed.</summary>
public static class DueFires
{
    /// <summary>A fire that is later than this was missed: no scheduler ran.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(2);

    // Missed fires leave a record each; those of a scheduler that was away for years would fill the table.
    private const int MostAccounted = 1000;
    private static readonly TimeSpan LongestLook = TimeSpan.FromDays(35);

    public static DueTimes At(ScheduleDefinition schedule, DateTimeOffset lookedUntil, DateTimeOffset now)
    {
        var due = new Queue<FireTime>();
        var reached = lookedUntil;
        foreach (var fire in FireTimes.After(schedule, lookedUntil > now - LongestLook ? lookedUntil : now - LongestLook))
        {
            if (fire.Time > now || (fire.Excluded is null && fire.At > now)) break;
            reached = fire.Time;
            if (fire.Excluded is not null) continue;
            due.Enqueue(fire);
            if (due.Count > MostAccounted) due.Dequeue();
        }
        return new DueTimes([.. Judge(schedule, [.. due], now)], reached);
    }

    private static IEnumerable<DueFire> Judge(ScheduleDefinition schedule, IReadOnlyList<FireTime> due, DateTimeOffset now)
    {
        var missed = due.Count(fire => now - fire.At > Late);
        for (var i = 0; i < due.Count; i++)
        {
            var fire = due[i];
            var late = now - fire.At;
            var isLast = i == due.Count - 1;
            yield return schedule.Missed switch
            {
                _ when late <= Late && missed > 0 && schedule.Missed == ScheduleDefinition.OnceMissed && isLast => new(fire, $"its time came; it catches up with {Fires(missed)} as well", Skipped: false),
                _ when late <= Late => new(fire, "its time came", Skipped: false),
                ScheduleDefinition.SkipMissed => new(fire, $"missed by {Text(late)} while no scheduler ran, and missed fires are skipped", Skipped: true),
                ScheduleDefinition.AllMissed => new(fire, $"missed while no scheduler ran; it comes {Text(late)} late", Skipped: false),
                _ when isLast => new(fire, $"missed while no scheduler ran; it comes {Text(late)} late{(missed > 1 ? $" and catches up with {Fires(missed - 1)} before it" : "")}", Skipped: false),
                _ => new(fire, $"missed by {Text(late)} while no scheduler ran; a later fire catches up", Skipped: true),
            };
        }
    }

    private static string Fires(int count) => count == 1 ? "one missed fire" : $"{count} missed fires";

    private static string Text(TimeSpan time) => time.TotalHours >= 48 ? $"{time.TotalDays:0} days" : time.TotalHours >= 1 ? $"{time.TotalHours:0.#} h" : $"{time.TotalMinutes:0} min";
}
