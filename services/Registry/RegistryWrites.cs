using System.Text.Json;
using DmlPipeline.Registry.Promotion;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DmlPipeline.Registry;

/// <summary>What may be changed over HTTP, by whoever has a token; history remembers the token's owner.</summary>
internal static class RegistryWrites
{
    /// <summary>The body of every request: what is not asked for may be left out.</summary>
    internal sealed record Word(string? Why, bool Anyway = false, string? To = null, string? Version = null, bool? Passed = null, bool? Protect = null);

    public static void MapWrites(this RouteGroupBuilder api)
    {
        var writes = api.MapGroup("").AddEndpointFilter(WriteGuard.RequireToken);
        writes.MapPost("/{model}/{version}/approve", (string model, string version, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.Approve(model, version, WriteGuard.By(http), word.Why ?? "", word.Anyway, cancel)));
        writes.MapPost("/{model}/{version}/reject", (string model, string version, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.Reject(model, version, WriteGuard.By(http), word.Why ?? "", cancel)));
        writes.MapPost("/{model}/{version}/checks/{name}", (string model, string version, string name, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.Check(model, version, name, word.Passed ?? throw new PromotionException("Say whether it passed: \"passed\": true or false."), WriteGuard.By(http), word.Why ?? "", cancel)));
        writes.MapPost("/{model}/rollback", (string model, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.Rollback(model, word.To, WriteGuard.By(http), word.Why ?? "", cancel)));
        writes.MapPut("/{model}/aliases/{alias}", (string model, string alias, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.SetAlias(model, word.Version ?? throw new PromotionException("Say which version: \"version\": \"3\"."), alias, word.Protect, word.Anyway, WriteGuard.By(http), word.Why ?? "", cancel)));
        writes.MapPost("/{model}/aliases/{alias}/remove", (string model, string alias, Word word, HttpContext http, PromotionDesk desk, CancellationToken cancel) =>
            Do(() => desk.RemoveAlias(model, alias, word.Anyway, WriteGuard.By(http), word.Why ?? "", cancel)));
    }

    private static async Task<IResult> Do(Func<Task<string>> ask)
    {
        try
        {
            return Results.Json(new { result = await ask() }, JsonSerializerOptions.Web);
        }
        catch (PromotionException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
        }
    }
}
