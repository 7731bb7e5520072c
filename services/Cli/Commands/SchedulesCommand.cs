using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Schedules;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Training;
using Microsoft.Extensions.Logging.Abstractions;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml schedules …</c>: set times at which it is decided whether to train, and what was decided.</summary>
internal static class SchedulesCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The schedule" };
    private static readonly Argument<string?> NameOrAll = new("NAME") { Description = "The schedule; all of them without it", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string[]> Files = new("FILE") { Description = "YAML files; together they are all that files declare", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<int> Limit = SharedOptions.Number("--limit", "At most so many fires", usual: 20);
    private static readonly Option<int> Count = SharedOptions.Number("--count", "How many times", usual: 10);
    private static readonly Option<DateTimeOffset?> From = new("--from") { Description = "Times after this one instead of now, such as 2027-03-27", HelpName = "TIME" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only show what would change" };
    private static readonly Option<bool> Force = new("--force") { Description = "Train whatever the retraining policy says" };

    private static readonly Option<string> Dataset = new("--dataset") { Description = "The dataset to train on", HelpName = "NAME", Required = true };
    private static readonly Option<string> Cron = new("--cron") { Description = "Minutes, hours, day of month, month, day of week, as in a crontab", HelpName = "FIELDS", Required = true };
    private static readonly Option<string> TimeZone = new("--timezone") { Description = "The time zone whose clock counts", HelpName = "ZONE", DefaultValueFactory = _ => "UTC" };
    private static readonly Option<string> Recipe = new("--recipe") { Description = "A built-in recipe or a file. Default: the dataset's own", HelpName = "NAME-OR-FILE" };
    private static readonly Option<string[]> Except = new("--except") { Description = "A day without fires: sunday, 12-25, 2027-03-26, 2027-12-24..2028-01-06; may be repeated", HelpName = "DAY" };
    private static readonly Option<string> Jitter = new("--jitter") { Description = "Each fire comes up to so much later", HelpName = "TIME", DefaultValueFactory = _ => "0s" };
    private static readonly Option<int> MaxConcurrent = new("--max-concurrent") { Description = "Fires pass while so many of its trainings are under way; 0 for any number", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Missed = new("--missed") { Description = "What becomes of fires that came while no scheduler ran: once, skip or all", HelpName = "HOW", DefaultValueFactory = _ => ScheduleDefinition.OnceMissed };

    public static Command Create()
    {
        var add = Define("add", "Add a schedule, or change the one of that name", ["schedules add nightly --dataset birds --cron '30 2 * * *' --timezone Europe/Berlin --except sunday"], Add, Name, Dataset, Cron, TimeZone, Recipe, Except, Jitter, MaxConcurrent, Missed, Force);
        var list = Define("list", "All schedules, with the next time of each", ["schedules list", "schedules list --json"], List);
        var show = Define("show", "One schedule, and its fires: what was decided at each, and why", ["schedules show nightly", "schedules show nightly --limit 100 --json"], ShowOne, Name, Limit);
        var pause = Define("pause", "Let a schedule rest; what comes meanwhile is not caught up with", ["schedules pause nightly"], (parse, opened, cancel) => Pause(parse, opened, paused: true, cancel), Name);
        var resume = Define("resume", "Let a schedule go on", ["schedules resume nightly"], (parse, opened, cancel) => Pause(parse, opened, paused: false, cancel), Name);
        var remove = Define("remove", "Take a schedule away; the records of its fires stay", ["schedules remove nightly"], Remove, Name);
        var next = Define("next", "The next times, local and UTC, with changes of the clock and excluded days", ["schedules next nightly --count 5", "schedules next nightly --from 2027-03-26"], Next, NameOrAll, Count, From);
        var now = Define("run-now", "Fire a schedule now, whatever its times are", ["schedules run-now nightly", "schedules run-now nightly --force"], RunNow, Name, Force);
        var apply = Define("apply", "Bring schedules and retraining policies in line with files under version control, and show what changes", ["schedules apply schedules.yaml --dry-run", "schedules apply schedules.yaml"], Apply, Files, DryRun);
        return new DocumentedCommand("schedules", "Set times at which it is decided whether to train: add, look, pause, declare in a file")
        {
            Details =
                """
                  calendars:                                 policies:
                    holidays: [01-01, 12-25, 2027-03-26]       birds:
                  schedules:                                     min-new-images: 50
                    birds-nightly:                               max-age: 30d
                      dataset: birds                             drift: mmd
                      cron: "30 2 * * *"                         cool-down: 6h
                      timezone: Europe/Berlin                    debounce: 10m
                      calendar: holidays                         start: champion
                      except: [sunday]                           replay: 0.5
                      jitter: 10m
                      missed: once

                A schedule names a dataset and may name a recipe. At each fire the retraining policy decides whether to train; that and the reason are kept.
                """,
            Examples = ["schedules list", "schedules next birds-nightly", "schedules apply schedules.yaml"],
            Subcommands = { add, list, show, pause, resume, remove, next, now, apply },
        };
    }

    private static DocumentedCommand Define(
        string name, string description, IReadOnlyList<string> examples, Func<ParseResult, OpenedDatabase, CancellationToken, Task<int>> run, params Symbol[] symbols)
    {
        var command = new DocumentedCommand(name, description) { Examples = examples };
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }
        foreach (var flag in OpenedDatabase.Flags) command.Options.Add(flag);
        command.SetAction(async (parse, cancel) =>
        {
            using var opened = await OpenedDatabase.Open(parse, mayCreate: name is "add" or "apply", cancel);
            return await run(parse, opened, cancel);
        });
        return command;
    }

    private static async Task<int> Add(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var recipe = parse.GetValue(Recipe) is { } named ? await RecipeSource.Read(named, cancel) : null;
        recipe?.Parse();
        var schedule = new ScheduleDefinition
        {
            Name = parse.GetRequiredValue(Name), Dataset = parse.GetRequiredValue(Dataset), Cron = parse.GetRequiredValue(Cron), TimeZone = parse.GetRequiredValue(TimeZone),
            Recipe = recipe?.Text ?? "", Except = parse.GetValue(Except) ?? [], MaxConcurrent = parse.GetValue(MaxConcurrent), Missed = parse.GetRequiredValue(Missed), Force = parse.GetValue(Force),
            JitterSeconds = ScheduleDefinition.TryReadSeconds(parse.GetRequiredValue(Jitter), out var seconds) ? seconds : -1,
        };
        if (schedule.Mistakes(Now).FirstOrDefault() is { Mistake: not null } wrong) throw new CliException($"{wrong.Option} {wrong.Mistake}.");
        await opened.Database.Write(transaction => transaction.Put(schedule, ScheduleRows.FromCommandLine, paused: null, Database.Now), cancel);
        return await Answer(parse, opened, schedule.Name, $"Schedule {schedule.Name} is kept.", cancel);
    }

    private static async Task<int> List(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        screen.Rows(
            await opened.Database.Schedules(cancel), row => ScheduleText.ToJson(row, Now), NoSchedules(opened),
            ["schedule", "dataset", "cron", "time zone", "recipe", "next, local", "next, UTC", "declared by"],
            row =>
            {
                var next = ScheduleText.Next(row, Now);
                return
                [
                    row.Name, row.Dataset, row.Definition.Cron, row.Definition.TimeZone, ShortRecipe(row.Definition),
                    row.Paused ? "paused" : next is null ? "never" : ScheduleText.Local(next.Local), next is null ? "" : ScheduleText.Utc(next.Time), row.Source,
                ];
            });
        return 0;
    }

    private static async Task<int> ShowOne(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var row = await Find(parse, opened, cancel);
        var fires = await opened.Database.Fires(row.Name, parse.GetValue(Limit), cancel);
        var policy = await opened.Database.QueryOne<string>("select policy_json from retraining_policies where dataset = @Dataset", new { row.Dataset }, cancel);
        if (screen.IsJson)
        {
            var document = ScheduleText.ToJson(row, Now);
            document["policy"] = policy is null ? null : JsonNode.Parse(policy);
            document["fires"] = new JsonArray([.. fires.Select(ScheduleText.ToJson)]);
            screen.Json(document);
            return 0;
        }
        screen.Heading($"schedule {row.Name}{(row.Paused ? " (paused)" : "")}");
        screen.Facts(
        [
            .. ScheduleChange.Keys(row.Definition, row.Paused).Select(key => (key.Key, (string?)key.Value)), ("declared by", row.Source),
            ("policy", policy is null ? "the pipeline's" : string.Join(", ", ScheduleChange.Keys(PolicySettings.Parse(policy)).Select(key => $"{key.Key} {key.Value}"))),
            ("next", ScheduleText.Next(row, Now) is { } next ? $"{ScheduleText.Local(next.Local)}, {ScheduleText.Utc(next.Time)} UTC" : null),
        ]);
        if (fires.Count == 0) return 0;
        screen.Line();
        screen.Table(["time, UTC", "version", "decision", "why"], fires.Select(fire => (string[])
        [
            ScheduleText.Utc(DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime)), fire.DatasetVersion is { } version ? $"v{version}" : "–", ScheduleText.Decision(fire), ScheduleText.Why(fire),
        ]));
        return 0;
    }

    private static async Task<int> Pause(ParseResult parse, OpenedDatabase opened, bool paused, CancellationToken cancel)
    {
        var row = await Find(parse, opened, cancel);
        var changed = await opened.Database.Write(transaction => transaction.Pause(row.Name, paused, Database.Now), cancel);
        return await Answer(parse, opened, row.Name, $"Schedule {row.Name} {(paused ? "rests" : "goes on")}{(changed ? "" : " already")}.", cancel);
    }

    private static async Task<int> Remove(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var row = await Find(parse, opened, cancel);
        await opened.Database.Write(transaction => transaction.Remove(row.Name), cancel);
        if (screen.IsJson) screen.Json(ScheduleText.ToJson(row, Now));
        else screen.Line($"Schedule {row.Name} is taken away.{(row.Source == ScheduleRows.FromCommandLine ? "" : $" It comes back with the next look at the {row.Source} that declares it.")}");
        return 0;
    }

    private static async Task<int> Next(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        IReadOnlyList<ScheduleRow> rows = parse.GetValue(NameOrAll) is { } name ? [await Find(name, opened, cancel)] : await opened.Database.Schedules(cancel);
        var after = parse.GetValue(From) ?? Now;
        var times = rows.SelectMany(row => FireTimes.After(row.Definition, after).Take(parse.GetValue(Count)).Select(time => (Row: row, Time: time)))
            .OrderBy(next => next.Time.Time).Take(parse.GetValue(Count)).ToList();
        screen.Rows(
            times,
            next =>
            {
                var document = ScheduleText.ToJson(next.Time);
                document["schedule"] = next.Row.Name;
                document["paused"] = next.Row.Paused;
                return document;
            },
            rows.Count == 0 ? NoSchedules(opened) : "None of the times ever comes.",
            ["schedule", "local", "UTC", "fires at, UTC", "remarks"],
            next =>
            [
                next.Row.Name, ScheduleText.Local(next.Time.Local), ScheduleText.Utc(next.Time.Time), next.Time.Excluded is null && !next.Row.Paused ? ScheduleText.Utc(next.Time.At) : "–",
                string.Join("; ", new[] { next.Row.Paused ? "paused" : null, next.Time.Excluded is { } day ? $"excluded ({day})" : null, next.Time.Clock }.OfType<string>()),
            ]);
        return 0;
    }

    private static async Task<int> RunNow(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var row = await Find(parse, opened, cancel);
        var fire = (await new ScheduleFiring(opened.Database, Database.Clock, NullLogger<ScheduleFiring>.Instance).FireByHand(row.Name, parse.GetValue(Force), cancel))!;
        if (screen.IsJson) screen.Json(ScheduleText.ToJson(fire));
        else if (fire.Outcome == "skipped") screen.Line($"Nothing was asked: {fire.Reason}.");
        else screen.Line($"Schedule {row.Name} fires for {row.Dataset} v{fire.DatasetVersion}. What is decided: {opened.Hint("schedules", "show", row.Name)}");
        return fire.Outcome == "skipped" ? 1 : 0;
    }

    private static async Task<int> Apply(ParseResult parse, OpenedDatabase opened, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var files = parse.GetRequiredValue(Files).Select(ScheduleFile.Read).ToList();
        var policies = (await opened.Database.Query<(string Dataset, string Json)>("select dataset, policy_json from retraining_policies", null, cancel)).ToDictionary(row => row.Dataset, row => row.Json, StringComparer.Ordinal);
        var changes = ScheduleChange.Between(await opened.Database.Schedules(cancel), policies, files);
        var dry = parse.GetValue(DryRun);
        if (!dry && changes.Count > 0)
            await opened.Database.Write(async transaction =>
            {
                foreach (var change in changes) await change.Apply(transaction, Database.Now);
            }, cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["applied"] = !dry,
                ["changes"] = new JsonArray([.. changes.Select(change => (JsonNode)new JsonObject { ["change"] = change.Sign, ["what"] = change.What, ["how"] = change.How })]),
            });
            return 0;
        }
        foreach (var change in changes) screen.Line($"{change.Sign} {change.What}: {change.How}");
        screen.Line(changes.Count == 0 ? "Nothing to change." : dry ? "Nothing was changed (--dry-run)." : Show.Count(changes.Count, "change") + " made.");
        return 0;
    }

    private static async Task<int> Answer(ParseResult parse, OpenedDatabase opened, string name, string text, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var row = (await opened.Database.Schedule(name, cancel))!;
        if (screen.IsJson) screen.Json(ScheduleText.ToJson(row, Now));
        else screen.Line($"{text}{(ScheduleText.Next(row, Now) is { } next ? $" Next: {ScheduleText.Local(next.Local)} ({ScheduleText.Utc(next.Time)} UTC)." : "")}");
        return 0;
    }

    private static Task<ScheduleRow> Find(ParseResult parse, OpenedDatabase opened, CancellationToken cancel) => Find(parse.GetRequiredValue(Name), opened, cancel);

    private static async Task<ScheduleRow> Find(string name, OpenedDatabase opened, CancellationToken cancel) =>
        await opened.Database.Schedule(name, cancel)
        ?? throw new CliException($"There is no schedule '{name}'. {((await opened.Database.Schedules(cancel)) is { Count: > 0 } some ? $"There are: {string.Join(", ", some.Select(row => row.Name))}." : "There is none yet.")}");

    private static string NoSchedules(OpenedDatabase opened) => $"There are no schedules. Add one with: {opened.Hint("schedules", "add", "--help")}";

    private static string ShortRecipe(ScheduleDefinition schedule) => schedule.Recipe.Length == 0 ? "" : schedule.Recipe.Contains('\n', StringComparison.Ordinal) || schedule.Recipe.Length > 30 ? "(a file's)" : schedule.Recipe;

    private static DateTimeOffset Now => Database.Clock.GetUtcNow();
}
