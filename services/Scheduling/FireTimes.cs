using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>One time of a schedule.</summary>
/// <param name="Time">What the cron expression says; names the fire.</param>
/// <param name="At">When it fires: later by its share of the jitter.</param>
/// <param name="Local">The clock of the schedule's time zone at <paramref name="Time"/>.</param>
/// <param name="Clock">What a change of that clock does to it; null on all other days.</param>
/// <param name="Excluded">The entry of the calendar that keeps it from firing; null when it fires.</param>
public sealed record FireTime(DateTimeOffset Time, DateTimeOffset At, DateTimeOffset Local, string? Clock, string? Excluded);

/// <summary>
/// The times of a schedule, excluded ones among them. When clocks are put forward, a fire whose time is left out comes as soon as the clock goes on;
/// when they are put back, one at a set hour comes at the first of the two, and one that comes every so many minutes goes on coming.
/// </summary>
public static class FireTimes
{
    public static IEnumerable<FireTime> After(ScheduleDefinition schedule, DateTimeOffset time)
    {
        var zone = schedule.Zone;
        var expression = schedule.Expression!.WithTimeZone(zone);
        var asWritten = schedule.Expression!.WithTimeZone(TimeZoneInfo.Utc);
        while (expression.GetNextValidTimeAfter(time) is { } next)
        {
            time = next;
            var local = TimeZoneInfo.ConvertTime(next, zone);
            yield return new FireTime(
                next, next + Jitter(schedule, next), local, ClockChange(asWritten, zone, local), ExcludedDays.Which(schedule.Except, DateOnly.FromDateTime(local.DateTime)));
        }
    }

    private static string? ClockChange(CronExpression asWritten, TimeZoneInfo zone, DateTimeOffset local)
    {
        if (zone.IsAmbiguousTime(local.DateTime))
            return zone.GetAmbiguousTimeOffsets(local.DateTime).Max() == local.Offset ? "the clock shows this time twice: the first" : "the clock shows this time twice: the second";
        return asWritten.IsSatisfiedBy(new DateTimeOffset(local.DateTime, TimeSpan.Zero)) ? null : "the clock leaves out the time that is set: as soon as it goes on";
    }

    /// <summary>The same on every node, so that they agree when a fire is due.</summary>
    private static TimeSpan Jitter(ScheduleDefinition schedule, DateTimeOffset time)
    {
        if (schedule.JitterSeconds == 0) return TimeSpan.Zero;
        var drawn = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{schedule.Name}@{time.ToUnixTimeSeconds()}")));
        return TimeSpan.FromSeconds(drawn % ((uint)schedule.JitterSeconds + 1));
    }
}
