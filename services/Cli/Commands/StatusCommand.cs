using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml status</c>: what runs, what waits, what is wrong, on one screen.</summary>
internal static class StatusCommand
{
    private static readonly Option<bool> Check = new("--check") { Description = "Exit code 1 when something is wrong, for whoever looks by a timer" };

    public static Command Create()
    {
        var command = new DocumentedCommand("status", "What runs, what waits, and what is wrong")
        {
            Details = "Found in the state alone, whether or not anything runs. The same is at GET /api/troubles of the registry and, as numbers, in /metrics.",
            Examples = ["status", "status --json", "status --check || mail-somebody", "status --settings dml.yaml"],
            Options = { Check },
        };
        foreach (var flag in OpenedDatabase.Flags) command.Options.Add(flag);
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var opened = await OpenedDatabase.Open(parse, mayCreate: false, cancel);
        var running = opened.Home?.Running();
        var workers = await opened.Database.Workers(cancel);
        var jobs = (await opened.Database.Query<(string Kind, string State, long Count, long Oldest)>(
            "select kind, state, count(*), min(updated_at) from jobs where state in ('queued', 'leased') group by kind, state order by kind, state", null, cancel)).ToList();
        var runs = (await opened.Database.Runs(dataset: null, cancel)).Where(run => run.State is "queued" or "running" or "trained" or "evaluated").ToList();
        var troubles = await Troubles.All(opened.Database, new TroubleLimits(), Database.Now, cancel, ScheduleTroubles.Source);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["running"] = opened.Home is null ? workers.Count > 0 : running is not null,
                ["address"] = running?.Address,
                ["workers"] = workers.Count,
                ["jobs"] = new JsonArray([.. jobs.Select(job => (JsonNode)new JsonObject { ["kind"] = job.Kind, ["state"] = job.State, ["count"] = job.Count, ["since"] = DateTimeOffset.FromUnixTimeMilliseconds(job.Oldest) })]),
                ["runs"] = new JsonArray([.. runs.Select(run => (JsonNode)RunText.ToJson(run))]),
                ["troubles"] = new JsonArray([.. troubles.Select(Screen.ToJson)]),
            });
        }
        else
        {
            screen.Facts(
                ("pipeline", opened.Home is null ? "of many processes" : running is null ? $"does not run; start it with: {opened.Hint("up")}" : $"runs, process {running.ProcessId}, {running.Address}"),
                ("workers", workers.Count == 0 ? "none" : string.Join(", ", workers.GroupBy(worker => worker.Kind, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal)
                    .Select(kind => $"{kind.Count()} {kind.Key}, {kind.Count(worker => worker.Subject is not null)} at work"))),
                ("jobs", jobs.Count == 0 ? "none" : string.Join(", ", jobs.Select(job => $"{job.Count} {job.Kind} {(job.State == "leased" ? "under way" : "waiting")}"))));
            if (runs.Count > 0)
            {
                screen.Line();
                screen.Table(["run", "state", "dataset", "why"], runs.Select(run => (string[])[run.Id, RunText.State(run), $"{run.Dataset} v{run.DatasetVersion}", run.Reason]));
            }
            screen.Line();
            screen.Heading(troubles.Count == 0 ? "Nothing is wrong." : Show.Count(troubles.Count, "thing is wrong:", "things are wrong:"));
            if (troubles.Count > 0)
                screen.Table(["since", "kind", "what", "what to do"], troubles.Select(trouble => (string[])[Show.Time(trouble.Since.ToUnixTimeMilliseconds()), trouble.Kind, trouble.What, trouble.Remedy]));
        }
        return troubles.Count > 0 && parse.GetValue(Check) ? 1 : 0;
    }
}
