using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>Dataset versions and drops in words and as JSON.</summary>
internal static class DatasetText
{
    public static DropOutcome? Outcome(DropRow drop) =>
        drop.OutcomeJson is null ? null : JsonSerializer.Deserialize<DropOutcome>(drop.OutcomeJson, ContractJson.Compact);

    public static string Describe(DropRow drop)
    {
        var refused = Outcome(drop)?.Counts.Quarantined is > 0 and var count ? $", {Show.Count(count, "file")} refused" : "";
        return drop.State switch
        {
            "settled" => "being prepared",
            "ready" => $"became v{drop.Version}{refused}",
            "merged" => "built together with a later drop",
            "waiting" => $"waits for more: {drop.Reason}",
            "unchanged" => $"nothing new: {drop.Reason}",
            _ => $"{drop.State}: {drop.Reason}",
        };
    }

    /// <summary>The counts of each split, for example <c>train 90 classes, 1,800 images</c>.</summary>
    public static IEnumerable<(string Split, int Classes, int Images)> Splits(DatasetManifest manifest) =>
        new[] { SplitNames.Train, SplitNames.Validation, SplitNames.Test }.Select(split =>
        {
            var classes = manifest.Classes.Where(c => c.Split == split).ToList();
            return (split, classes.Count, classes.Sum(c => c.Images));
        });

    public static JsonNode ToJson(DatasetVersionRow row)
    {
        var manifest = row.Manifest;
        return new JsonObject
        {
            ["dataset"] = row.Dataset,
            ["version"] = row.Version,
            ["parent"] = manifest.Parent,
            ["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
            ["images"] = row.Images,
            ["classes"] = row.Classes,
            ["splits"] = new JsonObject(Splits(manifest).Select(split => KeyValuePair.Create(
                split.Split, (JsonNode?)new JsonObject { ["classes"] = split.Classes, ["images"] = split.Images }))),
            ["layout"] = manifest.Layout,
            ["splitBy"] = manifest.Split.By,
            ["splitReason"] = manifest.Split.Reason,
            ["counts"] = Screen.ToJson(manifest.Counts),
            ["facts"] = Screen.ToJson(manifest.Facts),
            ["contentHash"] = manifest.ContentHash,
            ["dropId"] = row.DropId,
        };
    }

    public static JsonNode ToJson(DropRow drop) => new JsonObject
    {
        ["drop"] = drop.Id,
        ["dataset"] = drop.Dataset,
        ["state"] = drop.State,
        ["version"] = drop.Version,
        ["reason"] = drop.Reason,
        ["objects"] = drop.Objects,
        ["bytes"] = drop.Bytes,
        ["outcome"] = drop.OutcomeJson is null ? null : JsonNode.Parse(drop.OutcomeJson),
        ["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(drop.CreatedAt),
        ["finishedAt"] = drop.FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null,
    };
}
