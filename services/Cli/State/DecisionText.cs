using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.State;

/// <summary>What was decided about trainings, in words and as JSON.</summary>
internal static class DecisionText
{
    private const int MostShown = 20;

    public static async Task<IReadOnlyList<DecisionRow>> Latest(Database database, string dataset, CancellationToken cancel) =>
        [.. (await database.Query<DecisionRow>(
            "select * from training_decisions where dataset = @dataset order by decided_at desc, id desc limit @MostShown", new { dataset, MostShown }, cancel)).Reverse()];

    public static IReadOnlyList<string> Row(DecisionRow row) =>
        [Show.Time(row.DecidedAt), $"v{row.Version}", row.Schedule is null ? "the new version" : $"schedule {row.Schedule}", Decision(row), row.Reason];

    public static JsonNode ToJson(DecisionRow row) => new JsonObject
    {
        ["version"] = row.Version,
        ["cause"] = row.Cause,
        ["schedule"] = row.Schedule,
        ["fireTime"] = row.FireTime is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null,
        ["state"] = row.State,
        ["run"] = row.RunId,
        ["reason"] = row.Reason,
        ["decidedAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.DecidedAt),
    };

    private static string Decision(DecisionRow row) => row.State == "waiting" ? "waits" : row.RunId is { } run ? $"trains: {run}" : "no training";
}
