using System.CommandLine;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml resume RUN</c>: goes on with a cancelled or failed training.</summary>
internal static class ResumeCommand
{
    private static readonly Argument<string> Run = new("RUN") { Description = "The run's id; see dml runs" };
    private static readonly Option<bool> Wait = SharedOptions.Wait("Follow the run until its model is registered; exit code 1 when it fails");

    private static readonly Option<int?> Processes = TrainCommand.ProcessesOption();

    public static Command Create()
    {
        var command = new DocumentedCommand("resume", "Go on with a cancelled or failed run, from its last checkpoint")
        {
            Examples = ["resume birds-v1", "resume birds-v1 --wait", "resume birds-v1 --processes 2"],
            Arguments = { Run },
            Options = { Processes, Wait, SettingSources.FileFlag },
        };
        command.SetAction(Resume);
        return command;
    }

    private static async Task<int> Resume(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var id = parse.GetRequiredValue(Run);
        var wait = parse.GetValue(Wait);
        if (wait) home.RequireRunning("train the run");
        var before = await home.Database.Run(id, cancel) ?? throw await Missing.Run(home, id, cancel);
        if (parse.GetValue(Processes) is { } processes) await ShareAmong(home, before, processes, cancel);
        if (!await home.Database.Resume(id, cancel)) throw new CliException($"Run {id} is {before.State}: only a cancelled or failed training can be resumed.");
        if (wait) return await TrainCommand.FollowToTheEnd(screen, home, id, cancel);
        if (screen.IsJson) screen.Json(RunText.ToJson((await home.Database.Run(id, cancel))!));
        else
            screen.Line(home.IsRunning
                ? $"Run {id} is queued again. See: {home.Hint("runs", "show", id)}"
                : $"Run {id} is queued: it goes on when the pipeline is started with: {home.Hint("up")}");
        return 0;
    }

    /// <summary>The recipe stays the same one: its hash does not count the processes.</summary>
    private static async Task ShareAmong(OpenedHome home, RunRow run, int processes, CancellationToken cancel)
    {
        var recipe = RecipeFile.Parse(run.RecipeJson, run.Id) with { Processes = processes };
        var json = RecipeFile.ToCanonicalJson(RecipeFile.Parse(RecipeFile.ToCanonicalJson(recipe), "--processes"));
        await home.Database.Write(transaction => transaction.Execute(
            "update runs set recipe_json = @json where id = @Id and state in ('cancelled', 'failed')", new { run.Id, json }), cancel);
    }
}
