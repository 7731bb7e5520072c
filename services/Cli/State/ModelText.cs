using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>Registered versions in words and as JSON.</summary>
internal static class ModelText
{
    public static IEnumerable<KeyValuePair<string, double>> Metrics(ModelVersionRow row) =>
        (JsonNode.Parse(row.ModelJson)?["metrics"] as JsonObject ?? []).Select(metric => KeyValuePair.Create(metric.Key, metric.Value!.GetValue<double>()));

    public static void Table(Screen screen, IEnumerable<ModelVersionRow> versions) =>
        screen.Table(["model", ">version", "aliases", ">recall@1", ">r-precision", ">map@r", "dataset", "run", "registered"], versions.Select(row =>
        {
            var metrics = Metrics(row).ToDictionary(StringComparer.Ordinal);
            return (string[])
            [
                row.Model, $"v{row.Version}", (row.Aliases ?? "").Replace(",", ", ", StringComparison.Ordinal), Value("recall@1"), Value("r-precision"), Value("map@r"),
                $"{row.Dataset} v{row.DatasetVersion}", row.RunId, Show.Time(row.CreatedAt),
            ];

            string Value(string name) => metrics.TryGetValue(name, out var value) ? Show.Percent(value) : "";
        }));

    public static JsonNode ToJson(ModelVersionRow row)
    {
        var document = (JsonObject)JsonNode.Parse(row.ModelJson)!;
        document["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt);
        document["aliases"] = new JsonArray([.. (row.Aliases ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(alias => (JsonNode?)alias)]);
        return document;
    }

    public static JsonNode ToJson(AliasHistoryRow row) => new JsonObject
    {
        ["alias"] = row.Alias,
        ["version"] = row.Version,
        ["previousVersion"] = row.PreviousVersion,
        ["promoted"] = row.Promoted,
        ["action"] = row.Action,
        ["decidedBy"] = row.DecidedBy,
        ["reason"] = row.Reason,
        ["decidedAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.DecidedAt),
    };
}
