using DmlPipeline.Storage;

namespace DmlPipeline.Scheduling;

/// <summary>A stored schedule.</summary>
public sealed record ScheduleRow
{
    public required string Name { get; init; }
    public required string Dataset { get; init; }
    public required string DefinitionJson { get; init; }

    /// <summary>Who declares it: <c>settings</c>, <c>file</c> or <c>cli</c>. What settings or a file no longer name is taken away; others stay.</summary>
    public required string Source { get; init; }

    public required bool Paused { get; init; }

    /// <summary>Every time up to here is accounted for.</summary>
    public required long LookedUntil { get; init; }

    public required long ChangedAt { get; init; }

    public ScheduleDefinition Definition => ScheduleDefinition.Parse(DefinitionJson);
}

/// <summary>A fire, with the decision that it led to.</summary>
public sealed record FireRow
{
    public required string Schedule { get; init; }
    public required long FireTime { get; init; }
    public required string Dataset { get; init; }

    /// <summary><c>asked</c> whether to train; or <c>skipped</c>.</summary>
    public required string Outcome { get; init; }

    public required string Reason { get; init; }
    public int? DatasetVersion { get; init; }
    public required long FiredAt { get; init; }

    /// <summary>Null until it is decided.</summary>
    public string? Decision { get; init; }

    public string? RunId { get; init; }
}

/// <summary>What people and programs do with schedules; the schedulers notice within seconds.</summary>
public static class ScheduleRows
{
    public const string FromSettings = "settings", FromFile = "file", FromCommandLine = "cli";

    public static async Task<IReadOnlyList<ScheduleRow>> Schedules(this Database database, CancellationToken cancel) =>
        [.. await database.Query<ScheduleRow>("select * from schedules order by name", null, cancel)];

    public static Task<ScheduleRow?> Schedule(this Database database, string name, CancellationToken cancel) =>
        database.QueryOne<ScheduleRow>("select * from schedules where name = @name", new { name }, cancel);

    /// <summary>The latest fires, newest first.</summary>
    public static async Task<IReadOnlyList<FireRow>> Fires(this Database database, string? schedule, int limit, CancellationToken cancel) =>
        [.. await database.Query<FireRow>(
            """
            select f.schedule, f.fire_time, f.dataset, f.outcome, f.reason, f.dataset_version, f.fired_at, d.reason as decision, d.run_id
            from schedule_fires f left join training_decisions d on d.schedule = f.schedule and d.fire_time = f.fire_time
            where cast(@schedule as text) is null or f.schedule = @schedule order by f.fire_time desc, f.schedule limit @limit
            """, new { schedule, limit }, cancel)];

    /// <summary>Adds the schedule, or changes the one of its name. New times count from now on; unchanged ones keep what they have missed.</summary>
    public static async Task Put(this Transaction transaction, ScheduleDefinition schedule, string source, bool? paused, long now)
    {
        var before = await transaction.QueryOne<ScheduleRow>("select * from schedules where name = @Name", new { schedule.Name });
        var keeps = before is not null && SameTimes(before.Definition, schedule);
        await transaction.Execute(
            """
            insert into schedules (name, dataset, definition_json, source, paused, looked_until, changed_at)
            values (@Name, @Dataset, @definition, @source, @paused, @lookedUntil, @now)
            on conflict (name) do update set dataset = excluded.dataset, definition_json = excluded.definition_json, source = excluded.source,
                paused = excluded.paused, looked_until = excluded.looked_until, changed_at = excluded.changed_at
            """,
            new
            {
                schedule.Name, schedule.Dataset, definition = schedule.ToJson(), source, now,
                paused = paused ?? before?.Paused ?? false, lookedUntil = keeps ? before!.LookedUntil : now,
            });
    }

    public static async Task<bool> Remove(this Transaction transaction, string name) =>
        await transaction.Execute("delete from schedules where name = @name", new { name }) == 1;

    /// <summary>What comes while a schedule is paused is not missed: it goes on from the moment of resuming.</summary>
    public static async Task<bool> Pause(this Transaction transaction, string name, bool paused, long now) =>
        await transaction.Execute(
            "update schedules set paused = @paused, looked_until = case when @paused then looked_until else @now end, changed_at = @now where name = @name and paused <> @paused",
            new { name, paused, now }) == 1;

    private static bool SameTimes(ScheduleDefinition before, ScheduleDefinition after) => before.Cron == after.Cron && before.TimeZone == after.TimeZone;
}
