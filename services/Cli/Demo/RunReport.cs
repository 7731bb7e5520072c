using System.Text.Json.Nodes;
using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.State;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Evaluation;
using DmlPipeline.Evaluation.Report;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Demo;

/// <summary>Writes the report page of a registered run from what the run left in the store: nothing is computed with the model again.</summary>
internal static class RunReport
{
    private const int Worst = 12, Random = 12, Neighbours = 8;

    public static async Task<EvaluationReport> Read(OpenedHome home, ModelVersionRow model, CancellationToken cancel) =>
        EvaluationReport.FromJson(await File.ReadAllTextAsync(await home.Store.LocalFile($"models/{model.Model}/v{model.Version}/evaluation.json", cancel), cancel));

    /// <returns>The page's path.</returns>
    public static async Task<string> Write(OpenedHome home, RunRow run, ModelVersionRow model, EvaluationReport report, CancellationToken cancel)
    {
        var epochs = await RunText.Epochs(home, run, cancel);
        using var dataset = await DatasetReader.Open(home.Store, run.Dataset, run.DatasetVersion, cancel);
        var embeddings = Safetensors.ReadFloats(await home.Store.LocalFile($"runs/{run.Id}/embeddings.safetensors", cancel)).Arrays["embeddings"];
        using var thread = new TorchThread(threads: 0);
        var gallery = await thread.Run(() => Gallery(dataset, embeddings.Data, (int)embeddings.Shape[1], cancel));

        var path = Path.Combine(home.Home.Path, "reports", $"{model.Model}-v{model.Version}", "report.html");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = path + ".partial";
        await using (var page = new StreamWriter(partial))
        {
            ReportPage.Write(page, new ReportFacts
            {
                Model = $"{model.Model} v{model.Version}",
                Dataset = $"{run.Dataset}, dataset version {run.DatasetVersion}",
                Evaluation = report,
                Created = DateTimeOffset.FromUnixTimeMilliseconds(model.CreatedAt),
                Details = Details(run, model, dataset.Manifest),
                Epochs =
                [
                    .. epochs.Select(epoch => new EpochPoint(epoch.Epoch, epoch.Loss, epoch.ValidationRecall1, epoch.ValidationMapAtR)
                    {
                        ActiveFraction = epoch.ActiveFraction, PositiveSimilarity = epoch.PositiveSimilarity, NegativeSimilarity = epoch.NegativeSimilarity,
                    }),
                ],
                Gallery = gallery,
            });
        }
        File.Move(partial, path, overwrite: true);
        return path;
    }

    private static IReadOnlyList<GalleryPart> Gallery(DatasetReader dataset, float[] embeddings, int dimension, CancellationToken cancel)
    {
        var indexes = dataset.IndexesOf(SplitNames.Test);
        var classes = indexes.Select(i => dataset.Samples[i].Class).ToArray();
        var labelOf = classes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select((name, label) => (name, label)).ToDictionary(x => x.name, x => x.label, StringComparer.Ordinal);
        int[] labels = [.. classes.Select(name => labelOf[name])];
        var protocol = SampleProtocol.Of(indexes.Select(i => dataset.Samples[i]));
        var scores = RetrievalMetrics.Compute(embeddings, dimension, labels, EvaluationOptions.Validation with { Protocol = protocol }, cancel).PerQuery;
        var chosen = NeighbourGallery.Choose(embeddings, dimension, labels, protocol, scores, Worst, Random, Neighbours, seed: 0, cancel);
        return
        [
            new GalleryPart("Picked at random", $"Unseen images and what the model finds most similar among {(protocol?.Roles is null ? "all test images" : "the gallery")}, the nearest first.", Entries(chosen.Random)),
            new GalleryPart("Where it goes wrong", "The queries with the worst rankings, at most one of each class.", Entries(chosen.Worst)),
        ];

        IEnumerable<GalleryEntry> Entries(IEnumerable<GalleryRow> rows) =>
            rows.Select(row => GalleryEntry.From(row, image => classes[image], image => Thumbnails.Of(dataset.Read(indexes[image])))).ToList();
    }

    private static List<(string Name, string Value)> Details(RunRow run, ModelVersionRow model, DatasetManifest manifest)
    {
        var document = JsonNode.Parse(model.ModelJson)!;
        var details = new List<(string Name, string Value)>
        {
            ("Run", run.Id), ("Aliases", model.Aliases ?? ""), ("Dataset content", manifest.ContentHash), ("Split by", manifest.Split.By),
            ("Recipe", RunText.Recipe(run)), ("Recipe hash", run.RecipeHash),
        };
        foreach (var group in new[] { "training", "lineage" })
            foreach (var (name, value) in document[group] as JsonObject ?? [])
                if (value is JsonValue) details.Add(($"{group}: {name}", value.ToString()));
        details.Add(("Weights SHA-256", document["weights"]?["sha256"]?.ToString() ?? ""));
        return details;
    }
}
