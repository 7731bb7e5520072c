using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Scheduling;

/// <summary>Finds schedules whose time came and that did not fire: no scheduler looks after them.</summary>
public static class ScheduleTroubles
{
    public static readonly TroubleSource Source = new(Find);

    private static async Task<IEnumerable<Trouble>> Find(Database database, TroubleLimits limits, long now, CancellationToken cancel)
    {
        var due = DateTimeOffset.FromUnixTimeMilliseconds(now) - limits.Silent;
        return (await database.Schedules(cancel)).Where(row => !row.Paused).Select(row => OfSchedule(row, due)).OfType<Trouble>();
    }

    private static Trouble? OfSchedule(ScheduleRow row, DateTimeOffset due) =>
        FireTimes.After(row.Definition, DateTimeOffset.FromUnixTimeMilliseconds(row.LookedUntil)).TakeWhile(fire => fire.Time <= due)
            .FirstOrDefault(fire => fire.Excluded is null && fire.At <= due) is { } missed
            ? new Trouble(Troubles.LateSchedule, row.Name, $"the schedule {row.Name} should have fired at {missed.At:yyyy-MM-dd HH:mm zzz}, and did not", missed.At, "start a scheduler: dml serve scheduling, or dml serve all")
            : null;
}
