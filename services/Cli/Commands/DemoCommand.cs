using System.CommandLine;
using System.Diagnostics;
using DmlPipeline.Cli.Demo;
using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml demo</c>: images in, registered model out, in one command.</summary>
internal static class DemoCommand
{
    private static readonly Argument<string> Source = new("ARCHIVE-OR-FOLDER")
    {
        Description = "Images to train on, in class folders. Without it, made-up characters are generated",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string> Budget = TrainCommand.BudgetOption("Training time. Default: 90s for the generated images, 5m for yours, or as long as the recipe file says");
    private static readonly Option<string> Recipe = new("--recipe") { Description = "A built-in recipe or a file. Default: the dataset's own, else default", HelpName = "NAME-OR-FILE" };
    private static readonly Option<string> Dataset = new("--dataset") { Description = "Name of the dataset. Default: made from the file's name", HelpName = "NAME" };
    private static readonly Option<string> SplitBy = DropCommand.SplitByOption();
    private static readonly Option<long?> Seed = TrainCommand.SeedOption();

    private static readonly Option<bool> Distributed = new("--distributed")
    {
        Description = "Drop the images into the bucket of a pipeline of many processes, and follow them there. infra/demo --distributed starts one",
    };

    public static Command Create()
    {
        var command = new DocumentedCommand("demo", "From images to a trained, evaluated and registered model, in one command")
        {
            Details =
                """
                Starts the pipeline in this process, drops the images into its inbox and follows them to the end: report, metrics beside two
                baselines, and commands to go on with. Exit code 0 means that a model was registered. Interrupted with Ctrl-C, it saves a
                checkpoint; the same command goes on from there.
                """,
            Examples = ["demo", "demo birds.zip --budget 10m", "demo photos/ --dataset birds --home /data/birds --recipe circle"],
            Arguments = { Source },
            Options = { Budget, Recipe, Dataset, SplitBy, Seed, Distributed },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var homePath = parse.GetValue(SharedOptions.Home)!;
        // Everything that the user may have got wrong is looked at before anything is started.
        var source = DemoSource.Choose(parse.GetValue(Source), homePath);
        var dataset = parse.GetValue(Dataset) ?? source.DatasetName;
        DropCommand.CheckName(dataset);
        var recipe = parse.GetValue(Recipe) is { } named ? await RecipeSource.Read(named, cancel) : null;
        recipe?.Parse();
        var wishes = new DemoWishes(recipe?.Text, parse.GetValue(Budget) ?? DefaultBudget(recipe, source.IsSample), parse.GetValue(Seed));
        if (parse.GetValue(Distributed))
            return await DistributedDemo.Run(parse, screen, homePath, new DistributedDemo.Wishes(source, dataset, recipe, wishes.Budget, wishes.Seed, parse.GetValue(SplitBy)), cancel);
        var settings = await DropOff.Settings(parse.GetValue(SplitBy), recipe: null, cancel);
        var pipelineHome = new PipelineHome(homePath);
        if (pipelineHome.Running() is { } other)
            throw new CliException($"A pipeline runs on {homePath} already (process {other.ProcessId}). Give it the images with: {Hint.On(homePath, "drop", dataset, "PATH")}, or choose another --home.");

        var watch = Stopwatch.StartNew();
        await source.Prepare(screen.Live, cancel);
        using var home = await OpenedHome.OpenOrCreate(homePath, cancel);
        var plan = DropPlan.Make([source.Path]);
        var dropped = await DemoDrop.Copy(home, dataset, plan, settings, screen.Live, cancel);
        try
        {
            await using var pipeline = await LocalPipeline.Start(Settings(pipelineHome, wishes), cancel);
            screen.Live.Keep($"pipeline   {pipeline.Home.Path}; log {pipeline.Home.LogFile}");
            try
            {
                return await Follow(screen, home, dropped, wishes, watch, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                screen.Live.Keep("stopping: a training under way saves a checkpoint first");
                throw;
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            screen.Live.Keep($"Everything so far is kept in {homePath}. The same command goes on from there:");
            screen.Live.Keep($"  {Hint.Command(parse.Tokens.Select(token => Hint.Quote(token.Value)))}");
            throw;
        }
    }

    /// <summary>Null, the recipe's own length, for a file: whoever wrote one has said how long.</summary>
    private static string? DefaultBudget(RecipeSource? recipe, bool isSample) =>
        recipe is { IsBuiltIn: false } ? null : isSample ? "90s" : "5m";

    private static LocalSettings Settings(PipelineHome home, DemoWishes wishes) => new(home)
    {
        Training = training =>
        {
            training.Recipe = wishes.Recipe ?? training.Recipe;
            training.Budget = wishes.Budget;
            training.Seed = wishes.Seed;
        },
    };

    private static async Task<int> Follow(Screen screen, OpenedHome home, DroppedOff dropped, DemoWishes wishes, Stopwatch watch, CancellationToken cancel)
    {
        var drop = await DropFollower.Follow(home, dropped.Probe, dropped.Files, screen.Live, cancel);
        if (drop.State is not ("ready" or "unchanged")) return await Fail(screen, home, drop, cancel);
        var version = (drop.Version is { } number ? await home.Database.DatasetVersion(drop.Dataset, number, cancel) : await home.Database.LatestDatasetVersion(drop.Dataset, cancel))!;
        Tell(screen, version);

        var runId = await DemoRun.Find(home, version, wishes, screen.Live, cancel);
        var run = await new RunFollower(home, screen.Live).Follow(runId, cancel);
        var model = run.State == "registered" ? await home.Database.ModelOfRun(runId, cancel) : null;
        if (model is null) throw new CliException($"Run {runId} {run.State}: {run.Error}. Details: {home.Home.LogFile}");
        screen.Live.Keep($"registered {model.Model} v{model.Version}");

        var result = await DemoResult.Collect(home, version, run, model, watch.Elapsed, cancel);
        if (screen.IsJson) screen.Json(result.ToJson());
        else result.Print(screen);
        return 0;
    }

    /// <summary>What a drop has become.</summary>
    internal static void Tell(Screen screen, DatasetVersionRow version)
    {
        var counts = version.Manifest.Counts;
        screen.Live.Keep($"dataset    {version.Dataset} v{version.Version}: {Show.Count(counts.Images, "image")}, {Show.Count(version.Classes, "class", "classes")}"
            + $", {Show.Count(counts.Duplicates, "duplicate")}, {Show.Count(counts.Quarantined, "file")} refused");
        if (version.Manifest.Layout is not null) screen.Live.Keep($"           {version.Manifest.Split.Reason}");
    }

    internal static async Task<int> Fail(Screen screen, OpenedHome home, DropRow drop, CancellationToken cancel)
    {
        var (refused, count) = await RefusedFiles.Read(home.Store, drop, cancel);
        foreach (var file in refused.Take(10)) screen.Live.Keep($"  {Screen.Safe(file.Name)}: {Screen.Safe(file.Reason)}");
        if (count > 10) screen.Live.Keep($"  … and {Show.Count(count - 10)} more");
        throw new CliException($"No dataset could be made: {drop.Reason}");
    }
}
