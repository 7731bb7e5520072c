using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Registry.Promotion;

namespace DmlPipeline.Cli.State;

/// <summary>A decision about a version: carried out on the pipeline's own state, or sent to a registry that serves.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Path">Below <c>/api/models/</c>.</param>
/// <param name="Body">What is asked for, without who and why.</param>
/// <param name="Do">The same on the state: who, why.</param>
internal sealed record DeskRequest(string Method, string Path, JsonObject Body, Func<PromotionDesk, string, string, CancellationToken, Task<string>> Do)
{
    private static readonly Option<string> Why = new("--why") { Description = "Why, in a sentence; it is kept", HelpName = "TEXT", Required = true };
    private static readonly Option<string> By = new("--by") { Description = "Who decides. A registry that serves knows that by the token", HelpName = "WHO", DefaultValueFactory = _ => Environment.UserName };
    private static readonly Option<string> Server = new("--server") { Description = "A registry that serves, for example http://127.0.0.1:5180; without it the pipeline's own state", HelpName = "ADDRESS" };
    private static readonly Option<string> TokenFile = new("--token-file") { Description = "File that holds your token for --server. Or DML_REGISTRY_TOKEN", HelpName = "FILE" };

    public static IEnumerable<Option> Options => [Why, By, Server, TokenFile, SettingSources.FileFlag];

    /// <returns>What came of it, in a sentence.</returns>
    public async Task<string> Send(ParseResult parse, CancellationToken cancel)
    {
        var why = parse.GetRequiredValue(Why);
        try
        {
            if (parse.GetValue(Server) is { } server) return await Post(Address(server), Token(parse), why, cancel);
            using var home = await OpenedHome.Open(parse, cancel);
            return await Do(new PromotionDesk(home.Database, home.Store), parse.GetRequiredValue(By), why, cancel);
        }
        catch (PromotionException e)
        {
            throw new CliException(e.Message, e);
        }
    }

    private async Task<string> Post(Uri server, string token, string why, CancellationToken cancel)
    {
        var body = (JsonObject)Body.DeepClone();
        body["why"] = why;
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(Method), new Uri(server, $"/api/models/{Path}")) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await client.SendAsync(request, cancel);
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel));
            return response.IsSuccessStatusCode
                ? (string)answer!["result"]!
                : throw new CliException($"{server} answered {(int)response.StatusCode}: {answer?["detail"]?.ToString() ?? response.ReasonPhrase}");
        }
        catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException)
        {
            throw new CliException($"{server} does not answer as a registry does: {e.Message}", e);
        }
    }

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : throw new CliException($"'{text}' is no address of a registry: write http://HOST:PORT.");

    private static string Token(ParseResult parse)
    {
        try
        {
            return (parse.GetValue(TokenFile) is { } path ? File.ReadAllText(path) : Environment.GetEnvironmentVariable("DML_REGISTRY_TOKEN"))?.Trim() is { Length: > 0 } token
                ? token
                : throw new CliException("A registry that serves wants to know who asks: name the file that holds your token with --token-file, or set DML_REGISTRY_TOKEN.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"The token cannot be read: {e.Message}", e);
        }
    }
}
