using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml evaluate MODEL --dataset NAME-OR-PATH</c>: judges a model on any labelled images.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = ModelReference.Description };

    private static readonly Option<string> Dataset = new("--dataset")
    {
        Description = "A dataset (its test split) or a folder or archive of class folders, taken whole; it need not have been dropped",
        HelpName = "NAME-OR-PATH",
        Required = true,
    };

    private static readonly Option<string> Split = SplitOption("Which images of a dataset. Default: test");

    private static readonly Option<bool> Baselines = new("--baselines") { Description = "Also judge raw pixels and the untrained network on the same images" };

    public static Option<string> SplitOption(string description)
    {
        var option = new Option<string>("--split") { Description = description };
        option.AcceptOnlyFromAmong(ImageSource.Splits);
        return option;
    }

    public static Command Create()
    {
        var command = new DocumentedCommand("evaluate", "Judge a model on any labelled images")
        {
            Details =
                """
                Each image is a query among all the others, and images of its class are what should be found. The metrics are recall@1,
                recall@2, recall@4, recall@8, precision@1, r-precision, map@r and nmi, all 0 to 1.
                """,
            Examples = ["evaluate birds@champion --dataset birds", "evaluate birds@2 --dataset other-birds.zip --baselines", "evaluate birds@champion --dataset ./folder --json"],
            Arguments = { Model },
            Options = { Dataset, Split, Baselines },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var homes = await HomeOrNone.Open(parse, cancel);
        var model = await ModelReference.Find(homes, parse.GetRequiredValue(Model), cancel);
        using var images = await ImageSource.Open(homes, parse.GetRequiredValue(Dataset), parse.GetValue(Split), SplitNames.Test, screen.Live, cancel);
        if (images.Count == 0) throw new CliException($"No image of {images.Title} can be judged. {WhyNone(images)}");
        using var session = await EmbeddingSession.Load(model, screen.Live);
        var report = await session.Evaluate(images, new EvaluationOptions { Baselines = parse.GetValue(Baselines) }, cancel);
        if (screen.IsJson)
        {
            screen.Json(ToJson(model, images, report));
            return 0;
        }
        screen.Heading($"{model.Name} on {images.Title}");
        screen.Line($"  {Show.Count(report.Images, "image")} of {Show.Count(report.Classes, "class", "classes")}, {Show.Count(report.Queries)} judged as queries");
        screen.Line();
        MetricsTable.Print(screen, report);
        if (images.Refused.Count == 0) return 0;
        screen.Line();
        screen.Line($"{Show.Count(images.Refused.Count, "file")} left out:");
        RefusedFiles.Print(screen, images.Refused, images.Refused.Count);
        return 0;
    }

    private static string WhyNone(ImageSource images) =>
        images.Refused.Count == 0 ? "It holds no images." : $"First reason: {images.Refused[0].Name}: {images.Refused[0].Reason}";

    private static JsonObject ToJson(ModelReference model, ImageSource images, EvaluationReport report) => new()
    {
        ["model"] = model.Name,
        ["weightsSha256"] = model.Sha256,
        ["dataset"] = images.Title,
        ["images"] = report.Images,
        ["classes"] = report.Classes,
        ["queries"] = report.Queries,
        ["excludedQueries"] = report.ExcludedQueries,
        ["embeddingSize"] = report.EmbeddingSize,
        ["metrics"] = Screen.ToJson(report.Metrics),
        ["baselines"] = Screen.ToJson(report.Baselines),
        ["refused"] = new JsonArray([.. images.Refused.Select(file => new JsonObject { ["name"] = file.Name, ["reason"] = file.Reason })]),
    };
}
