using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Registry;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml webhooks add|list|remove|test|deliveries|replay</c>: who is told of events.</summary>
internal static class WebhooksCommand
{
    private static readonly Argument<string> Url = new("URL") { Description = "Where to post: https://host/path" };
    private static readonly Argument<string> Id = new("ID") { Description = "The webhook's id; see dml webhooks list" };
    private static readonly Argument<string?> OptionalId = new("ID") { Description = "Only of this webhook", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Delivery = new("DELIVERY") { Description = "The delivery's id. Without it: --failed", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string> Events = new("--events") { Description = $"By commas, of: {string.Join(", ", Storage.Webhooks.Events)}. Default: all", HelpName = "NAMES" };
    private static readonly Option<string> Of = new("--of") { Description = "Only of this dataset or model", HelpName = "NAME" };
    private static readonly Option<string> Secret = new("--secret") { Description = "Where the secret that signs is: file:PATH, or env:NAME of the registry's process. Default: a new file in the home", HelpName = "REFERENCE" };
    private static readonly Option<bool> Failed = new("--failed") { Description = "Every delivery that was given up" };
    private static readonly Option<int> Limit = new("--limit") { Description = "At most so many, the newest", HelpName = "N", DefaultValueFactory = _ => 50 };

    public static Command Create()
    {
        var add = Define("add", "Tell an address of events", ["webhooks add https://deploy.example.org/dml --events ModelPromoted --of birds"], Add);
        add.Arguments.Add(Url);
        foreach (var option in new Option[] { Events, Of, Secret }) add.Options.Add(option);
        var remove = Define("remove", "Tell it no more", ["webhooks remove 3fa9c1d2"], Remove);
        remove.Arguments.Add(Id);
        var test = Define("test", "Send it an event that tells of nothing, by the pipeline that runs", ["webhooks test 3fa9c1d2"], Test);
        test.Arguments.Add(Id);
        var deliveries = Define("deliveries", "What was sent, what waits, and what was answered", ["webhooks deliveries", "webhooks deliveries 3fa9c1d2 --json"], Deliveries);
        deliveries.Arguments.Add(OptionalId);
        deliveries.Options.Add(Limit);
        var replay = Define("replay", "Send a delivery once more", ["webhooks replay 019a41c5", "webhooks replay --failed"], Replay);
        replay.Arguments.Add(Delivery);
        replay.Options.Add(Failed);
        replay.Validators.Add(result =>
        {
            if (result.GetValue(Delivery) is null == !result.GetValue(Failed)) result.AddError("Name one delivery, or say --failed");
        });
        return new DocumentedCommand("webhooks", "Tell other systems of events, signed")
        {
            Details = "An event is queued in the transaction in which it happens, and is tried for three days. How to check the signature: services/Registry/README.md.",
            Examples = ["webhooks add https://deploy.example.org/dml --events ModelPromoted", "webhooks list", "webhooks replay --failed"],
            Subcommands = { add, Define("list", "Who is told of what", ["webhooks list", "webhooks list --json"], List), remove, test, deliveries, replay },
        };
    }

    private static DocumentedCommand Define(string name, string description, IReadOnlyList<string> examples, Func<ParseResult, Screen, OpenedHome, CancellationToken, Task<int>> run)
    {
        var command = new DocumentedCommand(name, description) { Examples = examples };
        command.SetAction(async (parse, cancel) =>
        {
            using var home = await OpenedHome.Open(parse, cancel);
            try
            {
                return await run(parse, new Screen(parse), home, cancel);
            }
            catch (WebhookException e)
            {
                throw new CliException(e.Message, e);
            }
        });
        return command;
    }

    private static async Task<int> Add(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var secret = parse.GetValue(Secret) ?? $"file:{NewSecret(home)}";
        var events = (parse.GetValue(Events) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var row = await new WebhookBook(home.Database).Add(parse.GetRequiredValue(Url), events, parse.GetValue(Of), secret, Environment.UserName, cancel);
        if (screen.IsJson) screen.Json(WebhookJson.Of(row));
        else
        {
            screen.Line($"{row.Url} is webhook {row.Id}. The receiver checks signatures with the secret in {row.SecretRef}.");
            screen.Line($"Try it: {home.Hint("webhooks", "test", row.Id)}");
        }
        return 0;
    }

    private static async Task<int> List(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var rows = await home.Database.WebhookRows(cancel);
        if (screen.IsJson) screen.Json(new JsonArray([.. rows.Select(row => (JsonNode)WebhookJson.Of(row))]));
        else if (rows.Count == 0) screen.Line($"Nobody is told of anything. Add one: {home.Hint("webhooks", "add", "URL")}");
        else
            screen.Table(["id", "address", "events", "of", "secret", "added"], rows.Select(row => (string[])
                [row.Id, row.Url, row.Events == "*" ? "all" : row.Events.Trim(','), row.Subject ?? "all", row.SecretRef, $"{Show.Time(row.CreatedAt)} by {row.CreatedBy}"]));
        return 0;
    }

    private static async Task<int> Remove(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var id = parse.GetRequiredValue(Id);
        if (!await new WebhookBook(home.Database).Remove(id, cancel)) throw NoWebhook(home, id);
        Say(screen, "removed", id, $"Webhook {id} is told no more.");
        return 0;
    }

    private static async Task<int> Test(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var id = parse.GetRequiredValue(Id);
        if (!await new WebhookBook(home.Database).Test(id, cancel)) throw NoWebhook(home, id);
        Say(screen, "queued", id, $"A test is on its way{(home.IsRunning ? "" : " as soon as a pipeline runs")}. See: {home.Hint("webhooks", "deliveries", id)}");
        return 0;
    }

    private static async Task<int> Deliveries(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var rows = await home.Database.Deliveries(parse.GetValue(OptionalId), parse.GetValue(Limit), cancel);
        if (screen.IsJson) screen.Json(new JsonArray([.. rows.Select(row => (JsonNode)WebhookJson.Of(row))]));
        else if (rows.Count == 0) screen.Line("Nothing was to be told yet.");
        else
            screen.Table(["delivery", "webhook", "event", "state", ">attempts", "when", "answer"], rows.Select(row => (string[])
                [row.Id, row.WebhookId, row.Event, row.State, $"{row.Attempts}", Show.Time(row.DeliveredAt ?? row.CreatedAt), row.LastError ?? $"{row.LastStatus}"]));
        return 0;
    }

    private static async Task<int> Replay(ParseResult parse, Screen screen, OpenedHome home, CancellationToken cancel)
    {
        var id = parse.GetValue(Delivery);
        var count = await new WebhookBook(home.Database).Replay(id, cancel);
        if (id is not null && count == 0) throw new CliException($"There is no delivery '{id}' to a webhook that is still there. See: {home.Hint("webhooks", "deliveries")}");
        Say(screen, "replayed", $"{count}", $"{Show.Count(count, "delivery is", "deliveries are")} on the way again.");
        return 0;
    }

    private static void Say(Screen screen, string key, string value, string text)
    {
        if (screen.IsJson) screen.Json(new JsonObject { [key] = value });
        else screen.Line(text);
    }

    /// <summary>Drawn anew, in a file that only its owner reads.</summary>
    private static string NewSecret(OpenedHome home)
    {
        var folder = Directory.CreateDirectory(Path.Combine(home.Home.Path, "secrets")).FullName;
        var path = Path.Combine(folder, $"webhook-{Guid.NewGuid().ToString("N")[..8]}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.WriteLine(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        return path;
    }

    private static CliException NoWebhook(OpenedHome home, string id) => new($"There is no webhook '{id}'. See: {home.Hint("webhooks", "list")}");
}
