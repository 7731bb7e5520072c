using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Local;
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
    private static readonly Argument<string?> Delivery = new("DELIVERY") { Description = "The delivery's id; its end will do. Without it: --failed", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string> Events = new("--events") { Description = $"By commas, of: {string.Join(", ", Storage.Webhooks.Events)}. Default: all", HelpName = "NAMES" };
    private static readonly Option<string> Of = new("--of") { Description = "Only of this dataset or model", HelpName = "NAME" };
    private static readonly Option<string> Secret = new("--secret") { Description = "Where the secret that signs is: file:PATH, or env:NAME, as the registry's process finds it. Default for a home: a new file in it", HelpName = "REFERENCE" };
    private static readonly Option<bool> Failed = new("--failed") { Description = "Every delivery that was given up" };
    private static readonly Option<int> Limit = SharedOptions.Number("--limit", "At most so many, the newest", usual: 50);

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
        var replay = Define("replay", "Send a delivery once more", ["webhooks replay 5d1c9b07", "webhooks replay --failed"], Replay);
        replay.Arguments.Add(Delivery);
        replay.Options.Add(Failed);
        replay.Validators.Add(result =>
        {
            if (result.GetValue(Delivery) is null == !result.GetValue(Failed)) result.AddError("Name one delivery, or say --failed");
        });
        return new DocumentedCommand("webhooks", "Tell other systems of events, signed")
        {
            Details =
                """
                An event is queued in the transaction in which it happens, and is tried for three days. How to check the signature: services/Registry/README.md.
                Of a pipeline of many processes: give it the database as the registry is given it, as flags, in the environment or in a settings file; or ask
                the registry over HTTP with your token, at /api/webhooks.
                """,
            Examples = ["webhooks add https://deploy.example.org/dml --events ModelPromoted", "webhooks list", "webhooks replay --failed", "webhooks list --settings dml.yaml"],
            Subcommands = { add, Define("list", "Who is told of what", ["webhooks list", "webhooks list --json"], List), remove, test, deliveries, replay },
        };
    }

    private static DocumentedCommand Define(string name, string description, IReadOnlyList<string> examples, Func<ParseResult, Screen, OpenedDatabase, CancellationToken, Task<int>> run)
    {
        var command = new DocumentedCommand(name, description) { Examples = examples };
        foreach (var flag in OpenedDatabase.Flags) command.Options.Add(flag);
        command.SetAction(async (parse, cancel) =>
        {
            using var opened = await OpenedDatabase.Open(parse, mayCreate: false, cancel);
            try
            {
                return await run(parse, new Screen(parse), opened, cancel);
            }
            catch (WebhookException e)
            {
                throw new CliException(e.Message, e);
            }
        });
        return command;
    }

    private static async Task<int> Add(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        var secret = parse.GetValue(Secret) ?? (opened.Home is { } own ? $"file:{NewSecret(own)}"
            : throw new CliException("Say where the registry's process finds the secret that signs, which it reads itself: --secret env:NAME or --secret file:PATH."));
        var events = (parse.GetValue(Events) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var row = await new WebhookBook(opened.Database).Add(parse.GetRequiredValue(Url), events, parse.GetValue(Of), secret, Environment.UserName, cancel);
        if (screen.IsJson) screen.Json(WebhookJson.Of(row));
        else
        {
            screen.Line($"{row.Url} is webhook {row.Id}. The receiver checks signatures with the secret in {row.SecretRef}.");
            screen.Line($"Try it: {opened.Hint("webhooks", "test", row.Id)}");
        }
        return 0;
    }

    private static async Task<int> List(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        screen.Rows(
            await opened.Database.WebhookRows(cancel), WebhookJson.Of, $"Nobody is told of anything. Add one: {opened.Hint("webhooks", "add", "URL")}",
            ["id", "address", "events", "of", "secret", "added"],
            row => [row.Id, row.Url, row.Events == "*" ? "all" : row.Events.Trim(','), row.Subject ?? "all", row.SecretRef, $"{Show.Time(row.CreatedAt)} by {row.CreatedBy}"]);
        return 0;
    }

    private static async Task<int> Remove(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        var id = parse.GetRequiredValue(Id);
        if (!await new WebhookBook(opened.Database).Remove(id, cancel)) throw NoWebhook(opened, id);
        Say(screen, "removed", id, $"Webhook {id} is told no more.");
        return 0;
    }

    private static async Task<int> Test(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        var id = parse.GetRequiredValue(Id);
        if (!await new WebhookBook(opened.Database).Test(id, cancel)) throw NoWebhook(opened, id);
        Say(screen, "queued", id, $"A test is on its way{(opened.Home is { } own && own.Running() is null ? " as soon as a pipeline runs" : "")}. See: {opened.Hint("webhooks", "deliveries", id)}");
        return 0;
    }

    private static async Task<int> Deliveries(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        var id = parse.GetValue(OptionalId);
        var rows = await opened.Database.Deliveries(id, parse.GetValue(Limit), cancel);
        // What was sent to one that was removed since is still there.
        if (id is not null && rows.Count == 0 && (await opened.Database.WebhookRows(cancel)).All(row => row.Id != id)) throw NoWebhook(opened, id);
        screen.Rows(
            rows, WebhookJson.Of, "Nothing was to be told yet.", ["delivery", "webhook", "event", "state", ">attempts", "when", "answer"],
            row => [row.Id, row.WebhookId, row.Event, row.State, $"{row.Attempts}", Show.Time(row.DeliveredAt ?? row.CreatedAt), row.LastError ?? $"{row.LastStatus}"]);
        return 0;
    }

    private static async Task<int> Replay(ParseResult parse, Screen screen, OpenedDatabase opened, CancellationToken cancel)
    {
        var id = parse.GetValue(Delivery);
        var found = id is null ? null : await Find(opened, id, cancel);
        var count = await new WebhookBook(opened.Database).Replay(found, cancel);
        if (found is not null && count == 0) throw new CliException($"The webhook of delivery '{found}' was removed, so that it cannot be sent again. See: {opened.Hint("webhooks", "list")}");
        Say(screen, "replayed", $"{count}", $"{Show.Count(count, "delivery is", "deliveries are")} on the way again.");
        return 0;
    }

    /// <summary>Ids begin with their time, so that those of one hour begin alike: the end tells them apart.</summary>
    private static async Task<string> Find(OpenedDatabase opened, string id, CancellationToken cancel)
    {
        var found = await opened.Database.DeliveriesEnding(id, cancel);
        return found switch
        {
            [var one] => one,
            [] => throw new CliException($"There is no delivery '{id}'. See: {opened.Hint("webhooks", "deliveries")}"),
            _ => throw new CliException($"'{id}' could be any of {string.Join(", ", found)}: give more of the id."),
        };
    }

    private static void Say(Screen screen, string key, string value, string text)
    {
        if (screen.IsJson) screen.Json(new JsonObject { [key] = value });
        else screen.Line(text);
    }

    /// <summary>Drawn anew, in a file that only its owner reads.</summary>
    private static string NewSecret(PipelineHome home)
    {
        var folder = Directory.CreateDirectory(Path.Combine(home.Path, "secrets")).FullName;
        var path = Path.Combine(folder, $"webhook-{Guid.NewGuid().ToString("N")[..8]}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.WriteLine(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        return path;
    }

    private static CliException NoWebhook(OpenedDatabase opened, string id) => new($"There is no webhook '{id}'. See: {opened.Hint("webhooks", "list")}");
}
