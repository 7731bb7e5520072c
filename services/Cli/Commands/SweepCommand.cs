using System.CommandLine;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Search;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml sweep RECIPE DATASET</c>: searches for better settings of a recipe.</summary>
internal static class SweepCommand
{
    private static readonly Argument<string> Recipe = new("RECIPE") { Description = "A built-in recipe or a file: what is varied" };
    private static readonly Argument<string> Dataset = new("DATASET") { Description = "Dataset, its latest version; or one version: NAME@2" };
    private static readonly Option<int> Trials = new("--trials") { Description = "Settings to try. More of them later go on with the same sweep", HelpName = "N", DefaultValueFactory = _ => 20 };

    private static readonly Option<string> Method = new("--method")
    {
        Description = "tpe learns from the trials before; random does not; halving tries all briefly and the best for longer",
        HelpName = "METHOD",
        DefaultValueFactory = _ => SweepPlan.Parzen,
    };

    private static readonly Option<string> Budget = TrainCommand.BudgetOption("Time of each trial (with halving, of those in the last round), instead of the recipe's length");
    private static readonly Option<int?> Epochs = new("--epochs") { Description = "Epochs of each trial, instead of the recipe's length", HelpName = "N" };
    private static readonly Option<string> Space = new("--space") { Description = "YAML file that says what to vary. Default: the loss's numbers and the learning rate", HelpName = "FILE" };
    private static readonly Option<long> Seed = new("--seed") { Description = "Of what is tried; the trainings keep the recipe's", HelpName = "N" };
    private static readonly Option<bool> ToTheEnd = new("--to-the-end") { Description = "Do not stop trials that fall below the median of the others" };
    private static readonly Option<string> Name = ExperimentOptions.Name("sweeps");

    public static Command Create()
    {
        Method.AcceptOnlyFromAmong(SweepPlan.Parzen, SweepPlan.Random, SweepPlan.Halving);
        Trials.Validators.Add(result => ExperimentOptions.Within(result, 1, 10_000));
        var command = new DocumentedCommand("sweep", "Search for better settings of a recipe, judged by MAP@R on the validation classes")
        {
            Details =
                """
                The test classes are not looked at. A file for --space has a line for each setting, by its key in recipes:
                  loss.scale: {log_range: [4, 64]}
                  optimiser.weight_decay: {range: [0, 0.1]}
                  sampler.images_per_class: {whole_range: [2, 8]}
                  embedding_size: [64, 128, 256]
                Ctrl-C saves; the same command goes on, also after a kill. Everything stays in HOME/sweeps/NAME, the best recipe as best.yaml.
                """,
            Examples = ["sweep ice birds --trials 20 --budget 1m", "sweep circle birds --method halving --trials 27 --budget 3m --space space.yaml"],
            Arguments = { Recipe, Dataset },
            Options = { Trials, Method, Budget, Epochs, Space, Seed, ToTheEnd, Name, SettingSources.FileFlag },
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Budget) is not null && result.GetResult(Epochs) is not null) result.AddError("Give either --budget or --epochs, not both");
        });
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var row = await DatasetReference.Find(home, parse.GetRequiredValue(Dataset), cancel);
        var plan = await Plan(parse, row, cancel);
        using var dataset = await DatasetReader.Open(home.Store, row.Dataset, row.Version, cancel);
        using var images = new ExperimentImages(dataset, screen.Live);
        using var thread = new TorchThread(threads: 0);
        await thread.Initialized;
        using var folder = ExperimentFolder.Open(
            ExperimentOptions.Root(home, "sweeps"), parse.GetValue(Name), $"{row.Dataset}-v{row.Version}-{plan.RecipeName}", plan.Inputs(), plan.Planned);
        Announce(screen, plan, folder);
        try
        {
            await new SweepRun(plan, folder.Path, images, home.Store, thread, screen.Live).DoAll(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            SweepResult.Read(folder.Path).WriteBest(plan);
            ExperimentOptions.SayHowToGoOn(screen, parse, folder.Path);
            throw;
        }
        var result = SweepResult.Read(folder.Path);
        result.WriteBest(plan);
        if (screen.IsJson) screen.Json(result.ToJson());
        else result.Print(screen, SweepsCommand.UseIt(home, result));
        return 0;
    }

    private static async Task<SweepPlan> Plan(ParseResult parse, DatasetVersionRow row, CancellationToken cancel)
    {
        foreach (var split in new[] { SplitNames.Train, SplitNames.Validation })
            if (row.Manifest.Classes.Count(c => c.Split == split) < 2)
                throw new CliException($"{row.Dataset} v{row.Version} has fewer than 2 {split} classes: nothing can be compared. Drop more classes.");
        var source = await RecipeSource.Read(parse.GetRequiredValue(Recipe), cancel);
        var recipe = ExperimentOptions.WithLength(source.Parse(), parse.GetValue(Budget), parse.GetValue(Epochs));
        var file = parse.GetValue(Space);
        if (file is not null && !File.Exists(file)) throw new CliException($"There is no file '{file}'.");
        var space = file is null ? DefaultSpace.Of(recipe) : SearchSpace.Parse(await File.ReadAllTextAsync(file, cancel), file);
        space.Check(recipe);
        var method = parse.GetValue(Method)!;
        // Halving ends trials by itself, and compares only what was trained for as long.
        var stopsEarly = !parse.GetValue(ToTheEnd) && method != SweepPlan.Halving;
        return new SweepPlan(
            row.Manifest, recipe, Path.GetFileNameWithoutExtension(source.Origin), space, method, parse.GetValue(Trials), parse.GetValue(Seed), stopsEarly);
    }

    private static void Announce(Screen screen, SweepPlan plan, ExperimentFolder folder)
    {
        var done = TrialLog.Read(folder.Path).Count;
        screen.Live.Keep($"sweep      {folder.Name}: {Show.Count(plan.Planned, "training")} by {plan.Method}{(done > 0 ? $", {done} of them done before" : "")}");
        foreach (var parameter in plan.Space.Parameters) screen.Live.Keep($"           {parameter.Key}: {parameter.Describe()}");
    }
}
