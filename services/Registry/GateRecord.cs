using System.Text.Json.Nodes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Registry;

/// <summary>All that was decided and said about a version, as JSON for programs.</summary>
public static class GateRecord
{
    public static async Task<JsonObject> Of(Database database, ModelVersionRow row, CancellationToken cancel) => new()
    {
        ["model"] = row.Model,
        ["version"] = row.Version,
        ["decisions"] = new JsonArray([.. (await database.GateDecisions(row.Model, row.Version, cancel)).Select(Decision)]),
        ["verdicts"] = new JsonArray([.. (await database.Verdicts(row.Model, row.Version, cancel)).Select(Verdict)]),
    };

    private static JsonObject Decision(GateDecisionRow row)
    {
        var decision = (JsonObject)JsonNode.Parse(row.DecisionJson)!;
        decision["champion"] = row.Champion;
        decision["ruleSha256"] = row.RuleHash;
        decision["rule"] = JsonNode.Parse(row.RuleJson);
        decision["comparison"] = row.ComparisonJson is null ? null : JsonNode.Parse(row.ComparisonJson);
        decision["decidedAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.DecidedAt);
        return decision;
    }

    private static JsonObject Verdict(VerdictRow row) => new()
    {
        ["kind"] = row.Kind, ["name"] = row.Name, ["passed"] = row.Passed, ["by"] = row.SaidBy, ["why"] = row.Why, ["at"] = DateTimeOffset.FromUnixTimeMilliseconds(row.SaidAt),
    };
}
