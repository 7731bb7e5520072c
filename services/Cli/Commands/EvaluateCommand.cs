using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.Judging;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml evaluate MODEL --dataset NAME-OR-PATH</c>: judges a model on any labelled images.</summary>
internal static class EvaluateCommand
{
    private const int ClassesShown = 10;

    private static readonly Argument<string> Model = new("MODEL") { Description = ModelReference.Description };

    private static readonly Option<string> Dataset = new("--dataset")
    {
        Description = "A dataset (its test split) or a folder or archive, which need not have been dropped: of a published dataset its test split, else all",
        HelpName = "NAME-OR-PATH",
        Required = true,
    };

    private static readonly Option<string> Split = SplitOption("Which images of a dataset, or of a published dataset in a folder or archive. Default: test");

    private static readonly Option<bool> Baselines = new("--baselines") { Description = "Also judge raw pixels and the untrained network on the same images" };

    private static readonly Option<string> Roles = new("--roles")
    {
        Description = "A CSV file with the columns image, role (query, gallery, both, junk) and perhaps camera; images it does not name are left out",
        HelpName = "FILE",
    };

    private static readonly Option<bool> PerClass = new("--per-class") { Description = $"Show the {ClassesShown} classes that do worst; with --json, all" };

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
                Each image is a query among all the others, and images of its class are what should be found. In-Shop and Market-1501 have
                queries, a gallery and cameras of their own, which are obeyed; --roles gives any images such rules, or others. Metrics are 0 to 1,
                --json writes them so. Intervals say how far a number may be off: for other classes of this kind (--intervals classes), or had
                other queries of these classes been drawn (queries).

                --linear fits linear metric learning to the training classes and judges it on the same test: on raw pixels, what can be had
                without a network; on the embeddings, what the network left to be had. --calibrate fits probabilities to the validation classes
                and thresholds of similarity for wanted rates of false matches, and says how they hold on the test classes.
                """,
            Examples =
            [
                "evaluate birds@champion --dataset birds", "evaluate birds@2 --dataset other-birds.zip --baselines", "evaluate birds@champion --dataset ./folder --json",
                "evaluate birds --dataset birds --k 1,10,100 --metrics recall@1,map@r,map,ami --per-class", "evaluate letters --dataset letters --episodes 5w1s,20w1s-within",
                "evaluate people --dataset Market-1501-v15.09.15.zip --metrics cmc@1,cmc@5,map --rerank", "evaluate shoes --dataset shoes.zip --roles roles.csv",
                "evaluate birds --dataset birds --linear lda,kissme,ldml --dimensions 64", "evaluate faces --dataset faces --calibrate", "evaluate model.safetensors --dataset new/ --calibrate --fit-on old/",
            ],
            Arguments = { Model },
            Options = { Dataset, Split, Roles, Baselines, PerClass, SettingSources.FileFlag },
        };
        foreach (var option in JudgingOptions.All.Concat(FittingOptions.All)) command.Options.Add(option);
        command.Validators.Add(JudgingOptions.Validate);
        command.Validators.Add(FittingOptions.Validate);
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
        var options = JudgingOptions.Read(parse) with
        {
            Baselines = parse.GetValue(Baselines),
            PerClass = parse.GetValue(PerClass),
            Protocol = parse.GetValue(Roles) is { } roles ? RolesFile.Read(roles, images) : images.Protocol,
        };
        using var session = await EmbeddingSession.Load(model, screen.Live);
        var outcome = await session.Evaluate(images, options, cancel);
        var report = await new FittedJudging(homes, model, session, screen.Live).Add(outcome, images, options, FittingOptions.Read(parse), cancel);
        if (screen.IsJson) screen.Json(ToJson(model, images, report));
        else Print(screen, model, images, report);
        return 0;
    }

    private static void Print(Screen screen, ModelReference model, ImageSource images, EvaluationReport report)
    {
        screen.Heading($"{model.Name} on {images.Title}");
        if (report.Protocol is { HasCameras: true }) screen.Line("  A query does not see images of its class from its own camera.");
        var among = report.Protocol is { HasRoles: true } ? $" in a gallery of {Show.Count(report.GalleryImages ?? 0)}" : "";
        screen.Line($"  {Show.Count(report.Images, "image")} of {Show.Count(report.Classes, "class", "classes")}, {Show.Count(report.Queries)} judged as queries{among}");
        screen.Line();
        MetricsTable.Print(screen, report);
        FittedText.Print(screen, report);
        if (report.Classwise is { } classes) PrintClasses(screen, classes);
        if (images.Refused.Count == 0) return;
        screen.Line();
        screen.Line($"{Show.Count(images.Refused.Count, "file")} left out:");
        RefusedFiles.Print(screen, images.Refused, images.Refused.Count);
    }

    private static void PrintClasses(Screen screen, IReadOnlyList<ClassScore> classes)
    {
        if (classes.Count == 0 || classes[0].Metrics.Count == 0) return;
        // The finest of the metrics tells classes apart best: where all find something first, MAP@R still differs.
        var names = classes[0].Metrics.Keys.ToList();
        var by = new[] { "map@r", "map", "r-precision" }.FirstOrDefault(names.Contains, names[0]);
        var worst = classes.OrderBy(score => score.Metrics[by]).Take(ClassesShown).ToList();
        screen.Line();
        screen.Heading(classes.Count > worst.Count ? $"The {worst.Count} of {Show.Count(classes.Count)} classes with the lowest {by}" : $"Classes by {by}");
        screen.Table(["  class", ">queries", .. names.Select(name => ">" + name)], worst.Select(score => (string[])
            [$"  {score.Class}", Show.Count(score.Queries), .. names.Select(name => Show.Percent(score.Metrics[name]))]));
    }

    private static string WhyNone(ImageSource images) =>
        images.Refused.Count == 0 ? "It holds no images." : $"First reason: {images.Refused[0].Name}: {images.Refused[0].Reason}";

    private static JsonObject ToJson(ModelReference model, ImageSource images, EvaluationReport report)
    {
        var document = new JsonObject { ["model"] = model.Name, ["weightsSha256"] = model.Sha256, ["dataset"] = images.Title };
        foreach (var (name, value) in JsonNode.Parse(report.ToJson())!.AsObject()) document[name] = value?.DeepClone();
        document["refused"] = new JsonArray([.. images.Refused.Select(file => new JsonObject { ["name"] = file.Name, ["reason"] = file.Reason })]);
        return document;
    }
}
