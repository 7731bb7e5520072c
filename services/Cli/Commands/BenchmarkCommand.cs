using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml benchmark DATASET --recipes a,b</c>: compares recipes by cross-validation, as the Reality Check does.</summary>
internal static class BenchmarkCommand
{
    private static readonly Argument<string> Dataset = new("DATASET") { Description = "Dataset, its latest version; or one version: NAME@2" };
    private static readonly Option<string> Recipes = new("--recipes") { Description = "Built-in recipes and files, separated by commas", HelpName = "LIST", Required = true };
    private static readonly Option<int> FoldCount = new("--folds") { Description = "Parts of the training classes; each validates one model", HelpName = "N", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Seeds = new("--seeds") { Description = "Repetitions with other seeds", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Budget = TrainCommand.BudgetOption("Time of each training, instead of the recipes' own lengths");
    private static readonly Option<int?> Epochs = new("--epochs") { Description = "Epochs of each training, instead of the recipes' own lengths", HelpName = "N" };
    private static readonly Option<string> Metrics = new("--metrics") { Description = "What to measure; may be changed when all is trained. Default: recall@1,r-precision,map@r", HelpName = "LIST" };
    private static readonly Option<string> Name = ExperimentOptions.Name("benchmarks");

    public static Command Create()
    {
        var command = new DocumentedCommand("benchmark", "Compare recipes by cross-validation over the training classes, judged on the test classes")
        {
            Details =
                """
                The protocol of "A Metric Learning Reality Check": the training classes are cut into folds; for each, a model is trained on the
                others and validated on it. All are judged on the test classes, which none has seen: separated (each by itself, averaged) and
                concatenated (embeddings side by side). Give all recipes the same --budget or --epochs.
                Ctrl-C saves; the same command goes on, also after a kill. Results stay in HOME/benchmarks/NAME.
                """,
            Examples = ["benchmark birds --recipes ice,circle,softmax --budget 2m", "benchmark birds@2 --recipes ice,my-recipe.yaml --epochs 20 --seeds 3 --json"],
            Arguments = { Dataset },
            Options = { Recipes, FoldCount, Seeds, Budget, Epochs, Metrics, Name, SettingSources.FileFlag },
        };
        FoldCount.Validators.Add(result => ExperimentOptions.Within(result, 2, 100));
        Seeds.Validators.Add(result => ExperimentOptions.Within(result, 1, 1000));
        Metrics.Validators.Add(ExperimentOptions.MetricList);
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
        var plan = await BenchmarkPlan.Make(
            row.Manifest, parse.GetRequiredValue(Recipes).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            parse.GetValue(FoldCount), parse.GetValue(Seeds), recipe => ExperimentOptions.WithLength(recipe, parse.GetValue(Budget), parse.GetValue(Epochs)), cancel);
        using var dataset = await DatasetReader.Open(home.Store, row.Dataset, row.Version, cancel);
        using var images = new ExperimentImages(dataset, screen.Live);
        if (images.TestSamples.Count == 0) throw new CliException($"{row.Dataset} v{row.Version} has no test images to judge on. Drop more classes.");

        using var thread = new TorchThread(threads: 0);
        await thread.Initialized;
        using var folder = ExperimentFolder.Open(ExperimentOptions.Root(home, "benchmarks"), parse.GetValue(Name), $"{row.Dataset}-v{row.Version}", plan.Inputs(), plan.Jobs.Count);
        var done = plan.Jobs.Count(job => BenchmarkRun.IsDone(folder.Path, job));
        screen.Live.Keep($"benchmark  {folder.Name}: {plan.Recipes.Count} recipes × {plan.Folds.Count} folds × {Show.Count(plan.Seeds, "seed")} = {Show.Count(plan.Jobs.Count, "training")}"
            + (done > 0 ? $", {done} of them done before" : "") + TotalTime(plan, done));
        try
        {
            await new BenchmarkRun(plan, folder.Path, images, home.Store, thread, screen.Live).DoAll(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            ExperimentOptions.SayHowToGoOn(screen, parse, folder.Path);
            throw;
        }

        var options = EvaluationOptions.Validation with { Metrics = ExperimentOptions.ParseMetrics(parse.GetValue(Metrics)) ?? EvaluationOptions.Validation.Metrics };
        DatasetSample[] tested = [.. images.TestSamples.Select(i => dataset.Samples[i])];
        var result = await thread.Run(() => BenchmarkResult.Judge(plan, folder.Path, tested, options, screen.Live, cancel));
        var document = new JsonObject { ["benchmark"] = folder.Name, ["folder"] = folder.Path };
        foreach (var (key, value) in result.ToJson()) document[key] = value?.DeepClone();
        ExperimentFolder.Write(Path.Combine(folder.Path, "result.json"), document);
        if (screen.IsJson)
        {
            screen.Json(document);
            return 0;
        }
        result.Print(screen);
        screen.Line();
        screen.Line($"  Models, embeddings and inputs: {folder.Path}");
        return 0;
    }

    private static string TotalTime(BenchmarkPlan plan, int done)
    {
        var left = plan.Jobs.Skip(done).Sum(job => plan.Recipes[job.Recipe].Budget?.TotalSeconds ?? double.NaN);
        return double.IsNaN(left) || left == 0 ? "" : $"; about {Show.Duration(TimeSpan.FromSeconds(left))} of training ahead";
    }
}
