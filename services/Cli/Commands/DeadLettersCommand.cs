using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml dead-letters</c>: messages that no attempt could consume.</summary>
internal static class DeadLettersCommand
{
    private const int ShortestId = 4;

    private static readonly Argument<string> Id = new("ID") { Description = "The message's id; its beginning or end will do" };
    private static readonly Argument<string?> IdOrAll = new("ID") { Description = "The message's id; its beginning or end will do. Without it: --all", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string> Queue = new("--queue") { Description = "Only of this queue", HelpName = "NAME" };
    private static readonly Option<bool> All = new("--all") { Description = "Every dead letter, or every one of --queue" };
    private static readonly Option<int> Limit = SharedOptions.Number("--limit", "At most so many", usual: 100);

    static DeadLettersCommand() => Queue.AcceptOnlyFromAmong([.. PipelineQueues.All.Select(queue => queue.Name)]);

    public static Command Create()
    {
        var list = Define("list", "What could not be consumed, and why", ["dead-letters list", "dead-letters list --queue train-model --json"], List);
        list.Options.Add(Queue);
        list.Options.Add(Limit);
        var show = Define("show", "One dead letter: the message, the error and where it happened", ["dead-letters show 5f3c"], Show);
        show.Arguments.Add(Id);
        var replay = Define("replay", "Send dead letters back to their queue, once what they failed of is mended", ["dead-letters replay 5f3c", "dead-letters replay --all --queue train-model"], Replay);
        var discard = Define("discard", "Delete dead letters", ["dead-letters discard 5f3c", "dead-letters discard --all"], Discard);
        foreach (var command in new[] { replay, discard })
        {
            command.Arguments.Add(IdOrAll);
            command.Options.Add(Queue);
            command.Options.Add(All);
            command.Validators.Add(result =>
            {
                if (result.GetValue(IdOrAll) is null == !result.GetValue(All)) result.AddError("Name one dead letter by its ID, or say --all");
            });
        }
        return new DocumentedCommand("dead-letters", "Messages that no attempt could consume: look, send back, delete")
        {
            Details = "They lie on the broker, in the error queue of the queue that they came from. A pipeline in one process has none: what fails there is sent again.",
            Examples = ["dead-letters list --bus rabbitmq://127.0.0.1 --bus-user dml --bus-password-file secret", "dead-letters replay --all"],
            Subcommands = { list, show, replay, discard },
        };
    }

    private static DocumentedCommand Define(string name, string description, IReadOnlyList<string> examples, Func<ParseResult, DeadLetters, CancellationToken, Task<int>> run)
    {
        var command = new DocumentedCommand(name, description) { Examples = examples };
        foreach (var flag in SettingSources.FlagsOf(Settings.OfBus)) command.Options.Add(flag);
        command.SetAction((parse, cancel) => On(parse, run, cancel));
        return command;
    }

    private static async Task<int> On(ParseResult parse, Func<ParseResult, DeadLetters, CancellationToken, Task<int>> run, CancellationToken cancel)
    {
        await using var letters = await DeadLetters.Open(new SettingSources(parse, Environment.GetEnvironmentVariable).Bus("dml dead-letters"), cancel);
        return await run(parse, letters, cancel);
    }

    private static async Task<int> List(ParseResult parse, DeadLetters letters, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var found = await letters.List(OfQueue(parse), parse.GetValue(Limit), cancel);
        if (screen.IsJson) screen.Json(new JsonArray([.. found.Select(ToJson)]));
        else if (found.Count == 0) screen.Line("There are no dead letters.");
        else
        {
            screen.Table(
                ["id", "queue", "message", "failed", "reason"],
                found.Select(letter => (string[])[letter.Id, letter.Queue, letter.Type, $"{letter.FailedAt:yyyy-MM-dd HH:mm:ss}", letter.Reason]));
            screen.Line();
            screen.Line($"More about one: {Hint.Command("dead-letters", "show", found[0].Id[^8..])}. Send all back: {Hint.Command("dead-letters", "replay", "--all")}");
        }
        return 0;
    }

    private static async Task<int> Show(ParseResult parse, DeadLetters letters, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var found = await Find(letters, parse.GetRequiredValue(Id), cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonArray([.. found.Select(ToJson)]));
            return 0;
        }
        foreach (var letter in found)
        {
            screen.Heading($"{letter.Type} {letter.Id}");
            screen.Facts(("queue", letter.Queue), ("failed", $"{letter.FailedAt:yyyy-MM-dd HH:mm:ss zzz}"), ("worker", letter.Worker), ("reason", letter.Reason));
            screen.Line();
            screen.Line(letter.Body);
            if (letter.Error is null) continue;
            screen.Line();
            screen.Line(letter.Error);
        }
        return 0;
    }

    private static Task<int> Replay(ParseResult parse, DeadLetters letters, CancellationToken cancel) => Take(parse, letters, letters.Replay, "sent back", cancel);

    private static Task<int> Discard(ParseResult parse, DeadLetters letters, CancellationToken cancel) => Take(parse, letters, letters.Discard, "deleted", cancel);

    private static async Task<int> Take(
        ParseResult parse, DeadLetters letters, Func<Func<DeadLetter, bool>, CancellationToken, Task<IReadOnlyList<DeadLetter>>> take, string done, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var ofQueue = OfQueue(parse);
        var which = ofQueue;
        if (parse.GetValue(IdOrAll) is { } id)
        {
            var found = (await Find(letters, id, cancel)).Where(ofQueue).Select(letter => letter.Id).ToHashSet(StringComparer.Ordinal);
            which = letter => ofQueue(letter) && found.Contains(letter.Id);
        }
        var taken = await take(which, cancel);
        if (screen.IsJson) screen.Json(new JsonArray([.. taken.Select(letter => (JsonNode)letter.Id)]));
        else screen.Line(taken.Count switch { 0 => "There are no dead letters.", 1 => $"{taken[0].Type} {taken[0].Id} {done}.", var many => $"{many} dead letters {done}." });
        return 0;
    }

    /// <summary>One message may be dead in more than one queue.</summary>
    private static async Task<IReadOnlyList<DeadLetter>> Find(DeadLetters letters, string id, CancellationToken cancel)
    {
        if (id.Length < ShortestId) throw new CliException($"'{id}' is too short: give at least {ShortestId} characters of the id.");
        var found = await letters.List(
            letter => letter.Id.StartsWith(id, StringComparison.OrdinalIgnoreCase) || letter.Id.EndsWith(id, StringComparison.OrdinalIgnoreCase), int.MaxValue, cancel);
        return found.Select(letter => letter.Id).Distinct(StringComparer.Ordinal).Count() switch
        {
            0 => throw new CliException($"There is no dead letter '{id}'. See: {Hint.Command("dead-letters", "list")}"),
            1 => found,
            _ => throw new CliException($"'{id}' could be any of {string.Join(", ", found.Select(letter => letter.Id).Distinct(StringComparer.Ordinal))}: give more of the id."),
        };
    }

    private static Func<DeadLetter, bool> OfQueue(ParseResult parse) => parse.GetValue(Queue) is { } queue ? letter => letter.Queue == queue : _ => true;

    private static JsonNode ToJson(DeadLetter letter) => JsonSerializer.SerializeToNode(letter, ContractJson.Compact)!;
}
