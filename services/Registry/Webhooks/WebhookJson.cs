using System.Text.Json.Nodes;
using DmlPipeline.Storage;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>Webhooks and deliveries as JSON for programs.</summary>
public static class WebhookJson
{
    public static JsonObject Of(WebhookRow row) => new()
    {
        ["id"] = row.Id, ["url"] = row.Url, ["events"] = new JsonArray([.. row.Events.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => (JsonNode)name)]),
        ["of"] = row.Subject, ["secret"] = row.SecretRef, ["by"] = row.CreatedBy, ["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
    };

    public static JsonObject Of(WebhookDeliveryRow row) => new()
    {
        ["id"] = row.Id, ["webhook"] = row.WebhookId, ["event"] = row.Event, ["state"] = row.State, ["attempts"] = row.Attempts, ["status"] = row.LastStatus, ["error"] = row.LastError,
        ["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        ["deliveredAt"] = row.DeliveredAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
        ["data"] = JsonNode.Parse(row.BodyJson),
    };
}
