using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml runs [show RUN]</c>: trainings, finished and under way.</summary>
internal static class RunsCommand
{
    private static readonly Argument<string> Run = new("RUN") { Description = "The run's id" };

    public static Command Create()
    {
        var show = new DocumentedCommand("show", "One run: recipe, progress, metrics, epochs")
        {
            Examples = ["runs show birds-v1", "runs show birds-v1 --json"],
            Arguments = { Run },
            Options = { SettingSources.FileFlag },
        };
        show.SetAction(ShowOne);
        var list = new DocumentedCommand("runs", "List the training runs, or show one of them")
        {
            Examples = ["runs", "runs show birds-v1"],
            Subcommands = { show },
            Options = { SettingSources.FileFlag },
        };
        list.SetAction(List);
        return list;
    }

    private static async Task<int> List(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var runs = await home.Database.Runs(dataset: null, cancel);
        var waiting = await RunText.WhyWaiting(home, cancel);
        screen.Rows(
            // Programs get them as they came; people look for the newest, and find it above.
            screen.IsJson ? runs : [.. runs.Reverse()], run => RunText.ToJson(run, waiting.GetValueOrDefault(run.Id)),
            $"No runs yet. New data is trained on by itself; ask for a run with: {home.Hint("train", "DATASET")}",
            ["run", "state", "dataset", "recipe", ">recall@1", ">map@r", "started", "took", "why"],
            run =>
            [
                run.Id, RunText.State(run), $"{run.Dataset} v{run.DatasetVersion}", RunText.Recipe(run), RunText.Metric(run, "recall@1"), RunText.Metric(run, "map@r"),
                run.StartedAt is { } started ? Show.Time(started) : "", Show.Between(run.StartedAt, run.FinishedAt), waiting.GetValueOrDefault(run.Id) ?? run.Error ?? run.Reason,
            ]);
        return 0;
    }

    private static async Task<int> ShowOne(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var id = parse.GetRequiredValue(Run);
        var run = await home.Database.Run(id, cancel) ?? throw await Missing.Run(home, id, cancel);
        var epochs = await RunText.Epochs(home, run, cancel);
        var waiting = (await RunText.WhyWaiting(home, cancel)).GetValueOrDefault(run.Id);
        if (screen.IsJson)
        {
            var document = RunText.ToJson(run, waiting);
            document["recipe"] = JsonNode.Parse(run.RecipeJson);
            document["epochs"] = new JsonArray([.. epochs.Select(Screen.ToJson)]);
            screen.Json(document);
            return 0;
        }
        screen.Heading($"run {run.Id}");
        screen.Facts(
            ("state", RunText.State(run)), ("waits", waiting), ("error", run.Error), ("dataset", $"{run.Dataset} v{run.DatasetVersion}"), ("asked for by", $"{run.RequestedBy}: {run.Reason}"),
            ("priority", ((JobPriority)run.Priority).Name()), ("needs", run.Needs),
            ("queued", Show.Time(run.CreatedAt)), ("took", run.StartedAt is null ? null : Show.Between(run.StartedAt, run.FinishedAt)),
            ("recipe", $"{RunText.Recipe(run)}, hash {run.RecipeHash[..12]}"), ("files", home.PlaceOf($"runs/{run.Id}")));
        if (RunText.Metrics(run) is { Count: > 0 } metrics)
        {
            screen.Line();
            screen.Heading("on unseen classes");
            screen.Facts(metrics.Select(metric => (metric.Key, (string?)Show.Percent(metric.Value))));
        }
        if (epochs.Count > 0)
        {
            screen.Line();
            screen.Table([">epoch", ">loss", ">validation recall@1", ">map@r", ">images/s"], Thinned(epochs).Select(epoch => (string[])
            [
                $"{epoch.Epoch}", $"{epoch.Loss:0.0000}", epoch.ValidationRecall1 is { } recall ? Show.Percent(recall) : "",
                epoch.ValidationMapAtR is { } map ? Show.Percent(map) : "", Show.Count((long)epoch.ImagesPerSecond),
            ]));
        }
        screen.Line();
        screen.Line("Recipe:");
        screen.Line(JsonNode.Parse(run.RecipeJson)!.ToJsonString(Contracts.ContractJson.Indented));
        if (run.State is "cancelled" or "failed") screen.Line($"Go on from its checkpoint with: {home.Hint("resume", run.Id)}");
        return 0;
    }

    /// <summary>At most about twenty epochs, the last one among them.</summary>
    private static IEnumerable<EpochLine> Thinned(IReadOnlyList<EpochLine> epochs)
    {
        var every = (epochs.Count + 19) / 20;
        return epochs.Where((_, i) => (epochs.Count - 1 - i) % every == 0);
    }
}
