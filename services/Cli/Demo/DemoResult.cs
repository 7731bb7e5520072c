using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Demo;

/// <summary>What a demo shows at its end: versions, metrics, files, and commands to go on with.</summary>
internal sealed record DemoResult(
    OpenedHome Home, DatasetVersionRow Dataset, RunRow Run, ModelVersionRow Model, EvaluationReport Report, string Page, string QueryImage, TimeSpan Took)
{
    private static readonly string[] Shown = ["recall@1", "recall@8", "r-precision", "map@r", "nmi"];

    /// <summary>Whether the pipeline is one process, with its log and everything else in its home.</summary>
    public bool IsEmbedded { get; init; } = true;

    private string? Log => IsEmbedded ? Home.Home.LogFile : null;

    private string Weights => Home.PlaceOf($"models/{Model.Model}/v{Model.Version}/model.safetensors");

    public static async Task<DemoResult> Collect(OpenedHome home, DatasetVersionRow dataset, RunRow run, ModelVersionRow model, TimeSpan took, CancellationToken cancel)
    {
        var report = await RunReport.Read(home, model, cancel);
        var page = await RunReport.Write(home, run, model, report, cancel);
        return new DemoResult(home, dataset, run, model, report, page, await WriteQueryImage(home, dataset, cancel), took);
    }

    public void Print(Screen screen)
    {
        screen.Line();
        screen.Heading($"Done in {Show.Duration(Took)}.");
        screen.Facts(
            ("dataset", $"{Dataset.Dataset} v{Dataset.Version}: {Show.Count(Dataset.Images, "image")}; "
                + string.Join(", ", DatasetText.Splits(Dataset.Manifest).Select(s => $"{s.Split} {Show.Count(s.Classes, "class", "classes")}"))),
            ("model", $"{Model.Model} v{Model.Version}{(Model.Aliases is null ? ", which did not beat the champion" : $" ({Model.Aliases})")}, run {Run.Id}, {RunText.Recipe(Run)}"));
        screen.Line();
        screen.Heading($"On {Show.Count(Report.Classes, "class", "classes")} that training never saw ({Show.Count(Report.Images, "image")}):");
        MetricsTable.Print(screen, Report, Shown);
        screen.Line();
        screen.Heading("Written");
        screen.Facts(("report", Page), ("weights", Weights), ("log", Log));
        if (!IsEmbedded) return;
        screen.Line();
        screen.Heading("Try next");
        foreach (var command in Next()) screen.Line($"  {command}");
    }

    public JsonObject ToJson() => new()
    {
        ["registered"] = true,
        ["dataset"] = DatasetText.ToJson(Dataset),
        ["run"] = Run.Id,
        ["model"] = Model.Model,
        ["version"] = Model.Version,
        ["aliases"] = new JsonArray([.. (Model.Aliases ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(alias => (JsonNode?)alias)]),
        ["metrics"] = Screen.ToJson(Report.Metrics),
        ["baselines"] = Screen.ToJson(Report.Baselines),
        ["seconds"] = Math.Round(Took.TotalSeconds, 1),
        ["report"] = Page,
        ["weights"] = Weights,
        ["log"] = Log,
        ["next"] = new JsonArray([.. Next().Select(command => (JsonNode?)command)]),
    };

    private IEnumerable<string> Next()
    {
        var model = $"{Model.Model}@{Model.Version}";
        var found = Path.Combine(Home.AsWritten, "demo", "found.html");
        // These work on homes.
        if (!IsEmbedded) yield break;
        yield return Home.Hint("search", Hint.Quote(QueryImage), "--model", model, "--gallery", Dataset.Dataset, "--html", Hint.Quote(found));
        yield return Home.Hint("evaluate", model, "--dataset", Dataset.Dataset, "--baselines");
        yield return Home.Hint("models", "show", Model.Model);
        yield return Home.Hint("up");
    }

    /// <summary>A test image as a file of its own, so that the first search can be pasted.</summary>
    private static async Task<string> WriteQueryImage(OpenedHome home, DatasetVersionRow version, CancellationToken cancel)
    {
        using var dataset = await DatasetReader.Open(home.Store, version.Dataset, version.Version, cancel);
        var index = dataset.IndexesOf(SplitNames.Test)[0];
        var path = Path.Combine(home.AsWritten, "demo", $"{version.Dataset}-query.{dataset.Samples[index].Format}");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, dataset.Read(index), cancel);
        return path;
    }
}
