using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace DmlPipeline.Registry;

/// <summary>The registry over HTTP: JSON, weights as a download that can be resumed; what changes something needs a token.</summary>
public static class RegistryApi
{
    private const int MostVersions = 1000, UsualVersions = 100;

    public static void MapRegistry(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/models");
        api.MapGet("/", ListModels);
        api.MapGet("/{model}", ListVersions);
        api.MapGet("/{model}/history", History);
        api.MapGet("/{model}/{version}", ReadVersion);
        api.MapGet("/{model}/{version}/gate", Gate);
        api.MapMethods("/{model}/{version}/{file}", ["GET", "HEAD"], Download);
        api.MapWrites();
        routes.MapGet("/api/versions", ListVersionsOfAll);
        routes.MapGet("/api/troubles", ListTroubles);
        routes.MapWebhooks();
    }

    private static async Task<IResult> ListModels(Database database, CancellationToken cancel)
    {
        var models = await database.Models(cancel);
        return Json(new JsonArray([.. models.Select(model => new JsonObject
        {
            ["model"] = model.Model,
            ["versions"] = model.Versions,
            ["latest"] = model.Latest,
            ["aliases"] = new JsonObject(model.Aliases.Select(alias => KeyValuePair.Create(alias.Key, (JsonNode?)alias.Value))),
        })]));
    }

    private static async Task<IResult> ListTroubles(Database database, IEnumerable<TroubleSource> sources, CancellationToken cancel) =>
        Results.Json(await Troubles.All(database, new TroubleLimits(), Database.Now, cancel, sources), ContractJson.Indented);

    private static Task<IResult> ListVersionsOfAll(string? filter, string? best, int? limit, int? offset, Database database, CancellationToken cancel) =>
        Versions(model: null, filter, best, limit, offset, database, cancel);

    private static async Task<IResult> ListVersions(string model, string? filter, string? best, int? limit, int? offset, Database database, CancellationToken cancel) =>
        await database.ModelVersion(model, "latest", cancel) is null ? NoModel(model) : await Versions(model, filter, best, limit, offset, database, cancel);

    private static async Task<IResult> Versions(string? model, string? filter, string? best, int? limit, int? offset, Database database, CancellationToken cancel)
    {
        if (limit is < 1 or > MostVersions || offset < 0)
            return Results.Problem($"limit is 1 to {MostVersions}, offset 0 or more.", statusCode: StatusCodes.Status400BadRequest);
        try
        {
            var versions = await database.ModelVersions(model, MetricFilter.Parse(filter), best?.ToLowerInvariant(), limit ?? UsualVersions, offset ?? 0, cancel);
            return Json(new JsonArray([.. versions.Select(Describe)]));
        }
        catch (FormatException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }

    private static async Task<IResult> ReadVersion(string model, string version, Database database, CancellationToken cancel) =>
        await database.ModelVersion(model, version, cancel) is { } row ? Json(Describe(row)) : NoVersion(model, version);

    private static async Task<IResult> History(string model, Database database, CancellationToken cancel)
    {
        // Every version was promoted or refused when it was registered: no history, no model.
        var history = await database.AliasHistory(model, cancel);
        return history.Count == 0 ? NoModel(model) : Results.Json(
            history.Select(row => new
            {
                row.Alias, row.Version, row.PreviousVersion, row.Promoted, row.Action, row.DecidedBy, row.Reason, DecidedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.DecidedAt),
            }),
            ContractJson.Indented);
    }

    private static async Task<IResult> Gate(string model, string version, Database database, CancellationToken cancel) =>
        await database.ModelVersion(model, version, cancel) is { } row ? Json(await GateRecord.Of(database, row, cancel)) : NoVersion(model, version);

    private static async Task<IResult> Download(string model, string version, string file, Database database, IArtifactStore store, CancellationToken cancel)
    {
        if (await database.ModelVersion(model, version, cancel) is not { } row) return NoVersion(model, version);
        var type = file switch
        {
            ModelFiles.Weights => "application/octet-stream",
            ModelFiles.Document or ModelFiles.Evaluation => "application/json",
            _ => null,
        };
        if (type is null) return NotFound("A version holds model.safetensors, model.json and evaluation.json.");
        // The key is made of what the database says, never of what the client sent.
        var key = ModelFiles.Key(row.Model, row.Version, file);
        if (await store.Find(key, cancel) is not { } found)
            return Results.Problem($"{key} is missing from the store, though the version is registered. Restore it from a backup.");
        return Results.File(
            await store.OpenRead(key, cancel), type, $"{row.Model}-v{row.Version}-{file}", found.LastModified,
            new EntityTagHeaderValue($"\"{found.ETag}\""), enableRangeProcessing: true);
    }

    private static JsonObject Describe(ModelVersionRow row)
    {
        var document = (JsonObject)JsonNode.Parse(row.ModelJson)!;
        document["createdAt"] = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt);
        document["aliases"] = new JsonArray([.. Aliases(row).Select(alias => (JsonNode?)alias.Name)]);
        document["download"] = $"/api/models/{Uri.EscapeDataString(row.Model)}/{row.Version}/model.safetensors";
        return document;
    }

    private static IEnumerable<(string Name, int Version)> Aliases(ModelVersionRow row) =>
        (row.Aliases ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => (name, row.Version));

    private static IResult Json(JsonNode node) => Results.Text(node.ToJsonString(ContractJson.Indented), "application/json");

    private static IResult NoModel(string model) => NotFound($"There is no model '{model}'. GET /api/models lists them.");

    private static IResult NoVersion(string model, string version) =>
        NotFound($"There is no version or alias '{version}' of a model '{model}'. GET /api/models lists what there is.");

    private static IResult NotFound(string detail) => Results.Problem(detail, statusCode: StatusCodes.Status404NotFound);
}
