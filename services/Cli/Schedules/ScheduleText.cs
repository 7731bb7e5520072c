using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Scheduling;

namespace DmlPipeline.Cli.Schedules;

/// <summary>Schedules, their times and their fires, for people and for programs.</summary>
internal static class ScheduleText
{
    public static FireTime? Next(ScheduleRow row, DateTimeOffset now) =>
        row.Paused ? null : FireTimes.After(row.Definition, now).FirstOrDefault(time => time.Excluded is null);

    public static string Local(DateTimeOffset time) => $"{time:ddd yyyy-MM-dd HH:mm zzz}";

    public static string Utc(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss}";

    public static string Decision(FireRow fire) => fire switch
    {
        { Outcome: "skipped" } => "skipped",
        { Decision: null } => "being decided",
        { RunId: { } run } => $"trains: {run}",
        _ => "no training",
    };

    public static string Why(FireRow fire) => fire.Decision is { } decision ? decision : fire.Reason;

    public static JsonObject ToJson(ScheduleRow row, DateTimeOffset now)
    {
        var document = (JsonObject)Screen.ToJson(row.Definition)!;
        document["source"] = row.Source;
        document["paused"] = row.Paused;
        document["next"] = Next(row, now) is { } next ? ToJson(next) : null;
        return document;
    }

    public static JsonObject ToJson(FireTime time) => new()
    {
        ["time"] = time.Time, ["local"] = time.Local, ["firesAt"] = time.At, ["clock"] = time.Clock, ["excluded"] = time.Excluded,
    };

    public static JsonObject ToJson(FireRow fire) => new()
    {
        ["schedule"] = fire.Schedule, ["time"] = DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime), ["firedAt"] = DateTimeOffset.FromUnixTimeMilliseconds(fire.FiredAt),
        ["dataset"] = fire.Dataset, ["datasetVersion"] = fire.DatasetVersion, ["outcome"] = fire.Outcome, ["reason"] = fire.Reason, ["decision"] = fire.Decision, ["run"] = fire.RunId,
    };
}
