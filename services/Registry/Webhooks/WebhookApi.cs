using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>Webhooks over HTTP. All of it needs a token: an address may hold a secret of its own.</summary>
internal static class WebhookApi
{
    private const int MostDeliveries = 200;

    /// <param name="Url">Where to post.</param>
    /// <param name="Events">None for all.</param>
    /// <param name="Of">Only of this dataset or model.</param>
    /// <param name="Secret"><c>env:NAME</c> or <c>file:PATH</c>, as the registry's process finds it.</param>
    internal sealed record NewWebhook(string Url, IReadOnlyList<string>? Events, string? Of, string Secret);

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/webhooks").AddEndpointFilter(WriteGuard.RequireToken);
        api.MapGet("/", async (Database database, CancellationToken cancel) => Json(new JsonArray([.. (await database.WebhookRows(cancel)).Select(row => (JsonNode)WebhookJson.Of(row))])));
        api.MapPost("/", Add);
        api.MapPost("/{id}/remove", async (string id, WebhookBook book, CancellationToken cancel) => await book.Remove(id, cancel) ? Results.NoContent() : NoWebhook(id));
        api.MapPost("/{id}/test", async (string id, WebhookBook book, CancellationToken cancel) => await book.Test(id, cancel) ? Results.Accepted() : NoWebhook(id));
        api.MapGet("/{id}/deliveries", async (string id, Database database, CancellationToken cancel) =>
            Json(new JsonArray([.. (await database.Deliveries(id, MostDeliveries, cancel)).Select(row => (JsonNode)WebhookJson.Of(row))])));
        api.MapPost("/deliveries/{id}/replay", async (string id, WebhookBook book, CancellationToken cancel) =>
            await book.Replay(id, cancel) > 0 ? Results.Accepted() : Results.Problem($"There is no delivery '{id}' to a webhook that is still there.", statusCode: StatusCodes.Status404NotFound));
    }

    private static async Task<IResult> Add(NewWebhook asked, HttpContext http, WebhookBook book, CancellationToken cancel)
    {
        try
        {
            return Json(WebhookJson.Of(await book.Add(asked.Url, asked.Events ?? [], asked.Of, asked.Secret, WriteGuard.By(http), cancel)));
        }
        catch (WebhookException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }

    private static IResult Json(JsonNode node) => Results.Text(node.ToJsonString(ContractJson.Indented), "application/json");

    private static IResult NoWebhook(string id) => Results.Problem($"There is no webhook '{id}'.", statusCode: StatusCodes.Status404NotFound);
}
