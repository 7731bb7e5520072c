using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml train DATASET --recipe R</c>: asks for a training run.</summary>
internal static class TrainCommand
{
    private static readonly Argument<string> Dataset = new("DATASET") { Description = "Dataset, its latest version; or one version: NAME@2" };
    private static readonly Option<string> Recipe = new("--recipe") { Description = "A built-in recipe or a file. Default: the dataset's own, else default", HelpName = "NAME-OR-FILE" };
    private static readonly Option<int?> Epochs = new("--epochs") { Description = "Passes over the data, instead of the recipe's length", HelpName = "N" };
    private static readonly Option<long?> Seed = SeedOption();
    private static readonly Option<string> Budget = BudgetOption("Training time instead of the recipe's length, for example 90s, 10m, 1h30m");
    private static readonly Option<string> Priority = new("--priority") { Description = "high goes before all others and, when no worker is free, makes one of them give way; low waits for the rest. Default: normal", HelpName = "PRIORITY" };
    private static readonly Option<string> Needs = NeedsOption();
    private static readonly Option<int?> Processes = ProcessesOption();
    private static readonly Option<bool> Wait = SharedOptions.Wait("Follow the run until its model is registered; exit code 1 when it fails");

    static TrainCommand() => Priority.AcceptOnlyFromAmong([.. JobPriorities.Names]);

    public static Option<string> BudgetOption(string description)
    {
        var option = new Option<string>("--budget") { Description = description, HelpName = "TIME" };
        option.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string>();
            if (text is not null && (!Duration.TryParse(text, out var time) || time < TimeSpan.FromSeconds(1)))
                result.AddError($"'{text}' is no time: write for example --budget 90s, 10m or 1h30m");
        });
        return option;
    }

    public static Option<long?> SeedOption() => new("--seed") { Description = "Seed of everything random, instead of the recipe's", HelpName = "N" };

    private static Option<string> NeedsOption()
    {
        var option = new Option<string>("--needs") { Description = "What the worker must have, by commas: gpu, gpu-memory>=40GB, site=berlin; see dml workers. Default: the recipe's", HelpName = "LABELS" };
        option.Validators.Add(result =>
        {
            try
            {
                if (result.GetValueOrDefault<string>() is { } text) Storage.Work.Needs.Parse(text);
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
            }
        });
        return option;
    }

    public static Option<int?> ProcessesOption() =>
        new("--processes") { Description = "Processes of the worker's machine that share each batch, one for each GPU; the result is the same but for rounding", HelpName = "N" };

    public static Command Create()
    {
        var command = new DocumentedCommand("train", "Ask for a training run on a dataset. New data is trained on by itself; this is for other recipes, seeds and lengths")
        {
            Examples =
            [
                "train birds --recipe circle --wait", "train birds@2 --recipe my-recipe.yaml --budget 30m", "train birds --epochs 40 --seed 7",
                "train birds --priority high --needs 'gpu-memory>=40GB'",
            ],
            Arguments = { Dataset },
            Options = { Recipe, Budget, Epochs, Seed, Processes, Priority, Needs, Wait, SettingSources.FileFlag },
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
        var recipe = await ResolvedRecipe(parse, row.Manifest, cancel);
        var wait = parse.GetValue(Wait);
        if (wait) home.RequireRunning("train the run");

        var runId = $"{row.Dataset}-v{row.Version}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
        var asked = new TrainModel(runId, row.Dataset, row.Version, RecipeFile.ToCanonicalJson(recipe), "cli", "asked for on the command line", parse.GetValue(Priority));
        await home.Database.Write(async transaction =>
        {
            await transaction.AddRun(asked, RecipeFile.Hash(recipe), recipe.Needs);
            await transaction.Publish(asked);
        }, cancel);
        if (wait) return await FollowToTheEnd(screen, home, runId, cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["run"] = runId, ["dataset"] = row.Dataset, ["datasetVersion"] = row.Version, ["recipeHash"] = RecipeFile.Hash(recipe), ["running"] = home.IsRunning,
            });
            return 0;
        }
        screen.Line($"Run {runId} is asked for, on {row.Dataset} v{row.Version}.");
        screen.Line(home.IsRunning
            ? $"See: {home.Hint("runs", "show", runId)}"
            : $"No pipeline runs on {home.AsWritten}: it starts when the pipeline is started with: {home.Hint("up")}");
        return 0;
    }

    /// <summary>Follows a run and prints how it ended. Shared with resume.</summary>
    public static async Task<int> FollowToTheEnd(Screen screen, OpenedHome home, string runId, CancellationToken cancel)
    {
        var run = await new RunFollower(home, screen.Live).Follow(runId, cancel);
        var model = run.State == "registered" ? await home.Database.ModelOfRun(runId, cancel) : null;
        if (screen.IsJson)
        {
            var document = RunText.ToJson(run);
            document["model"] = model is null ? null : ModelText.ToJson(model);
            screen.Json(document);
            return model is null ? 1 : 0;
        }
        if (model is null)
        {
            screen.Line($"Run {runId} {run.State}: {run.Error}");
            return 1;
        }
        screen.Line($"Run {runId} became {model.Model} v{model.Version}{(model.Aliases is null ? "" : $" ({model.Aliases})")}.");
        var decision = (await home.Database.AliasHistory(model.Model, cancel)).LastOrDefault(row => row.Version == model.Version);
        if (decision is not null) screen.Line($"{(decision.Promoted ? "Promoted" : "Not promoted")}: {decision.Reason}.");
        screen.Facts(ModelText.Metrics(model).Select(metric => (metric.Key, (string?)Show.Percent(metric.Value))));
        return 0;
    }

    private static async Task<TrainingRecipe> ResolvedRecipe(ParseResult parse, Contracts.Datasets.DatasetManifest manifest, CancellationToken cancel)
    {
        var source = parse.GetValue(Recipe) is { } named ? await RecipeSource.Read(named, cancel) : null;
        source?.Parse();
        var text = source?.Text ?? manifest.Recipe ?? "default";
        var recipe = RecipeChoice.Resolve(text, manifest, parse.GetValue(Budget), parse.GetValue(Seed), threads: 0);
        if (parse.GetValue(Needs) is { } needs) recipe = RecipeChoice.Checked(recipe with { Needs = needs });
        if (parse.GetValue(Processes) is { } processes) recipe = Checked(recipe with { Processes = processes }, "--processes");
        return parse.GetValue(Epochs) is { } epochs ? Checked(recipe with { Epochs = epochs, Budget = null }, "--epochs") : recipe;

        // Parsed again, so that what is out of range is refused like any other.
        static TrainingRecipe Checked(TrainingRecipe changed, string option) => RecipeFile.Parse(RecipeFile.ToCanonicalJson(changed), option);
    }
}
