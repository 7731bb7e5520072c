using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Local;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml up</c>: the embedded pipeline in the foreground.</summary>
internal static class UpCommand
{
    private static readonly Option<int> Port = new("--port") { Description = "Port of the HTTP interface on this machine; another free one when it is taken", HelpName = "PORT", DefaultValueFactory = _ => 5180 };
    private static readonly Option<string> Recipe = new("--recipe") { Description = "Recipe for datasets that name none. Default: default", HelpName = "NAME-OR-FILE" };
    private static readonly Option<string> Budget = TrainCommand.BudgetOption("Training time of runs on new data, instead of the recipe's length");
    private static readonly Option<bool> NoTraining = new("--no-training") { Description = "Do not train on new data by itself; wait for dml train" };
    private static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Log to the home's pipeline.log only" };

    public static Command Create()
    {
        var command = new DocumentedCommand("up", "Run the whole pipeline in this process until Ctrl-C")
        {
            Details =
                """
                Watches the inbox, builds dataset versions, trains, evaluates, registers, and serves the registry over HTTP on this machine.
                Ctrl-C stops it cleanly: a training under way saves a checkpoint and goes on at the next start. Nothing is lost when it is
                killed, either.
                """,
            Examples = ["up", "up --home /data/birds --budget 30m", "up --no-training --port 8080"],
            Options = { Port, Recipe, Budget, NoTraining, Quiet },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var home = parse.GetValue(SharedOptions.Home)!;
        var recipe = parse.GetValue(Recipe) is { } named ? await RecipeSource.Read(named, cancel) : null;
        recipe?.Parse();
        var settings = new LocalSettings(new PipelineHome(home))
        {
            Port = parse.GetValue(Port),
            Companions = Companion.Command(new PipelineHome(home), []),
            LogToTerminal = !parse.GetValue(Quiet) && !screen.IsJson,
            Training = training =>
            {
                training.OnNewData = !parse.GetValue(NoTraining);
                training.Budget = parse.GetValue(Budget);
                if (recipe is not null) training.Recipe = recipe.Text;
            },
        };
        await using (var pipeline = await LocalPipeline.Start(settings, cancel))
        {
            BestEffort.Tell(() => Greet(screen, pipeline, home));
            await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            screen.Live.Keep("stopping; a training under way saves a checkpoint first");
        }
        screen.Live.Keep("stopped");
        return 0;
    }

    private static void Greet(Screen screen, LocalPipeline pipeline, string home)
    {
        if (screen.IsJson)
        {
            screen.Json(new JsonObject { ["home"] = pipeline.Home.Path, ["address"] = pipeline.Address, ["processId"] = Environment.ProcessId });
            return;
        }
        screen.Heading("The pipeline is running. Ctrl-C stops it.");
        screen.Facts(
            ("home", pipeline.Home.Path), ("registry", $"{pipeline.Address}/api/models"), ("log", pipeline.Home.LogFile),
            ("inbox", $"{Path.Combine(pipeline.Home.StoreFolder, "inbox")}/<dataset>/, or: {Hint.On(home, "drop", "DATASET", "PATH")}"));
    }
}
