using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml sweeps [show NAME]</c>: searches, finished and under way.</summary>
internal static class SweepsCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The sweep's name" };

    public static Command Create()
    {
        var show = new DocumentedCommand("show", "One sweep: its best trials and where its best recipe is")
        {
            Examples = ["sweeps show birds-v1-ice-1b34db", "sweeps show birds-v1-ice-1b34db --json"],
            Arguments = { Name },
            Options = { SettingSources.FileFlag },
        };
        show.SetAction(ShowOne);
        var list = new DocumentedCommand("sweeps", "List the searches for better settings, or show one of them")
        {
            Examples = ["sweeps", "sweeps show birds-v1-ice-1b34db"],
            Subcommands = { show },
            Options = { SettingSources.FileFlag },
        };
        list.SetAction(List);
        return list;
    }

    /// <summary>The command that trains with a sweep's best recipe.</summary>
    public static string UseIt(OpenedHome home, SweepResult sweep) =>
        home.Hint("train", $"{sweep.Inputs["dataset"]}@{sweep.Inputs["datasetVersion"]}", "--recipe", Hint.Quote(Path.GetRelativePath(Directory.GetCurrentDirectory(), sweep.BestRecipe)), "--wait");

    private static async Task<int> List(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var sweeps = ExperimentFolder.List(ExperimentOptions.Root(home, "sweeps")).Select(SweepResult.Read).ToList();
        if (screen.IsJson) screen.Json(new JsonArray([.. sweeps.Select(sweep => sweep.ToJson())]));
        else if (sweeps.Count == 0) screen.Line($"No sweeps yet. Begin one with: {home.Hint("sweep", "RECIPE", "DATASET")}");
        else
        {
            screen.Table(["sweep", "dataset", "recipe", "method", ">trials", ">best map@r", "best settings"], sweeps.Select(sweep => (string[])
            [
                sweep.Name, sweep.Dataset, $"{sweep.Inputs["recipeName"]}", $"{sweep.Inputs["method"]}", sweep.Progress,
                sweep.Best?.Score is { } score ? Show.Percent(score) : "", sweep.Best?.Settings ?? "",
            ]));
        }
        return 0;
    }

    private static async Task<int> ShowOne(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var name = parse.GetRequiredValue(Name);
        var folder = ExperimentFolder.List(ExperimentOptions.Root(home, "sweeps")).FirstOrDefault(path => Path.GetFileName(path) == name)
            ?? throw new CliException($"There is no sweep '{name}'. List them with: {home.Hint("sweeps")}");
        var sweep = SweepResult.Read(folder);
        if (screen.IsJson) screen.Json(sweep.ToJson());
        else sweep.Print(screen, UseIt(home, sweep));
        return 0;
    }
}
