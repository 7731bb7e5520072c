using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Registry;

/// <summary>Lets nobody change anything over HTTP who has no token.</summary>
internal static class WriteGuard
{
    private const string Owner = "registry.token-owner";

    public static string By(HttpContext http) => (string)http.Items[Owner]!;

    public static async ValueTask<object?> RequireToken(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var file = http.RequestServices.GetService(typeof(IOptions<RegistryOptions>)) is IOptions<RegistryOptions> options ? options.Value.TokenFile : null;
        if (file is null) return Results.Problem("Nothing can be changed here: no tokens are set. Name a file of them as registry: token-file.", statusCode: StatusCodes.Status403Forbidden);
        if (WriteTokens.OwnerOf(file, http.Request.Headers.Authorization) is not { } owner)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Results.Problem("This needs a token: Authorization: Bearer TOKEN.", statusCode: StatusCodes.Status401Unauthorized);
        }
        http.Items[Owner] = owner;
        return await next(context);
    }
}
