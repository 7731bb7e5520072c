using System.CommandLine;
using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml cancel RUN</c>: ends a training; its checkpoint stays.</summary>
internal static class CancelCommand
{
    private static readonly Argument<string> Run = new("RUN") { Description = "The run's id; see dml runs" };
    private static readonly Option<bool> Wait = SharedOptions.Wait("Wait until the run has ended");

    public static Command Create()
    {
        var command = new DocumentedCommand("cancel", "Cancel a run. One under way saves a checkpoint first, from which dml resume goes on")
        {
            Examples = ["cancel birds-v1", "cancel birds-v1 --wait"],
            Arguments = { Run },
            Options = { Wait, SettingSources.FileFlag },
        };
        command.SetAction(Cancel);
        return command;
    }

    private static async Task<int> Cancel(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var id = parse.GetRequiredValue(Run);
        var before = await home.Database.Run(id, cancel) ?? throw await Missing.Run(home, id, cancel);
        if (before.State is not ("queued" or "running")) throw new CliException($"Run {id} is {before.State}: only a queued or running training can be cancelled.");
        var state = await home.Database.RequestCancel(id, cancel);
        if (parse.GetValue(Wait) && state is "queued" or "running")
        {
            home.RequireRunning("cancel the run");
            state = (await new RunFollower(home, screen.Live).Follow(id, cancel)).State;
        }
        if (screen.IsJson)
        {
            screen.Json(RunText.ToJson((await home.Database.Run(id, cancel))!));
            return 0;
        }
        screen.Line(state switch
        {
            "cancelled" => $"Run {id} is cancelled. Go on with: {home.Hint("resume", id)}",
            _ => $"Run {id} was asked to stop; it saves a checkpoint first. Go on later with: {home.Hint("resume", id)}",
        });
        return 0;
    }
}
