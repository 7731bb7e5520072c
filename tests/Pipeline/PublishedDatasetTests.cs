using DmlPipeline.Cli.Demo;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.State;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Pipeline.Cli;
using DmlPipeline.Tests.Services.Ingestion;
using DmlPipeline.Tests.Services.Ingestion.Layouts;
using DmlPipeline.Torch;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>A dataset with queries, a gallery and cameras of its own is judged by them, whoever judges it.</summary>
public sealed class PublishedDatasetTests : IDisposable
{
    private const string Recipe = "epochs: 1\nimage: {size: 16}\nembedding_size: 8\nthreads: 1\n";
    private const int Queries = 15, Gallery = 18;

    private readonly Sandbox sandbox = new();

    private string Archive => Path.Combine(sandbox.Folder, "market.zip");

    public PublishedDatasetTests() => File.WriteAllBytes(Archive, TestArchives.Zip(PublishedDrops.Market()));

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Market_is_judged_by_its_queries_gallery_and_cameras_after_training_by_hand_and_in_a_benchmark()
    {
        var report = await Train();

        (report.Queries, report.GalleryImages, report.Images).ShouldBe((Queries, Gallery, Queries + Gallery));
        report.Protocol.ShouldNotBeNull();
        (report.Protocol.HasRoles, report.Protocol.HasCameras).ShouldBe((true, true));
        // Each person has three gallery images, of which one is from the query's own camera.
        report.ExcludedQueries.ShouldBe(0);

        var shown = await sandbox.Dml("datasets", "show", "market");
        shown.Output.ShouldContain("v1 recognised as Market-1501: official split");

        var evaluated = await sandbox.Dml("evaluate", "market", "--dataset", "market", "--json");
        evaluated.Code.ShouldBe(0, evaluated.Error);
        foreach (var (name, value) in report.Metrics) evaluated.Json["metrics"]![name]!.GetValue<double>().ShouldBe(value, 1e-9, name);

        await CheckBenchmark();
        await CheckReport(report);
    }

    [Fact]
    public async Task An_archive_that_was_never_dropped_is_judged_likewise_and_has_splits()
    {
        await Train();

        var test = await sandbox.Dml("evaluate", "market", "--dataset", Archive, "--json");
        var train = await sandbox.Dml("evaluate", "market", "--dataset", Archive, "--split", "train", "--json");
        var none = await sandbox.Dml("evaluate", "market", "--dataset", Archive, "--split", "validation");

        test.Code.ShouldBe(0, test.Error);
        test.Json["dataset"]!.ToString().ShouldEndWith("market.zip (Market-1501), test split");
        (test.Json["queries"]!.GetValue<int>(), test.Json["galleryImages"]!.GetValue<int>()).ShouldBe((Queries, Gallery));
        train.Code.ShouldBe(0, train.Error);
        (train.Json["images"]!.GetValue<int>(), train.Json["protocol"]!["hasRoles"]!.GetValue<bool>(), train.Json["protocol"]!["hasCameras"]!.GetValue<bool>()).ShouldBe((18, false, true));
        none.Error.ShouldContain("has no validation images: the official split of Market-1501 is train and test");
    }

    [Fact]
    public async Task A_file_of_roles_goes_before_the_datasets_own()
    {
        await Train();
        var roles = Path.Combine(sandbox.Folder, "roles.csv");
        using (var dataset = await DatasetReader.Open(sandbox.Home.OpenStore(), "market", 1, default))
            await File.WriteAllLinesAsync(roles, dataset.IndexesOf(SplitNames.Test).Select(i => $"{dataset.Samples[i].Name},both").Prepend("image,role"));

        var result = await sandbox.Dml("evaluate", "market", "--dataset", "market", "--roles", roles, "--json");

        result.Code.ShouldBe(0, result.Error);
        (result.Json["queries"]!.GetValue<int>(), result.Json["protocol"]!["hasCameras"]!.GetValue<bool>()).ShouldBe((Queries + Gallery, false));
    }

    private async Task<EvaluationReport> Train()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(sandbox.Home) { Port = 0, Training = training => training.Recipe = Recipe, Inbox = inbox => inbox.SettleSeconds = 1 }, default);
        var inbox = Directory.CreateDirectory(Path.Combine(sandbox.Home.StoreFolder, "inbox", "market")).FullName;
        File.Copy(Archive, Path.Combine(inbox, "market.zip"));
        await File.WriteAllTextAsync(Path.Combine(inbox, "_READY"), "");
        for (var tries = 0; await pipeline.Database.ModelVersion("market", "champion", default) is null; tries++)
        {
            tries.ShouldBeLessThan(1800, "there is no model after three minutes");
            if (await pipeline.Database.Run("market-v1", default) is { State: "failed" } failed) throw new InvalidOperationException(failed.Error);
            await Task.Delay(100);
        }
        return EvaluationReport.FromJson(await File.ReadAllTextAsync(await pipeline.Store.LocalFile("models/market/v1/evaluation.json", default)));
    }

    private async Task CheckBenchmark()
    {
        var recipe = Path.Combine(sandbox.Folder, "tiny.yaml");
        // Pretrained on weights out of the store, as the recipes of papers are.
        await File.WriteAllTextAsync(recipe, Recipe + "pretrained: artifact:models/market/v1/model.safetensors\n");
        var result = await sandbox.Dml("benchmark", "market", "--recipes", recipe, "--folds", "2", "--name", "b", "--metrics", "recall@1,map", "--json");
        result.Code.ShouldBe(0, result.Error);

        var missing = Path.Combine(sandbox.Folder, "missing.yaml");
        await File.WriteAllTextAsync(missing, Recipe + "pretrained: artifact:weights/none.pth\n");
        (await sandbox.Dml("benchmark", "market", "--recipes", missing, "--folds", "2", "--name", "c")).Error.ShouldContain("There are no pretrained weights 'weights/none.pth' in the store: put");

        // The embeddings that the first training left, judged by what the names of the images say.
        using var dataset = await DatasetReader.Open(sandbox.Home.OpenStore(), "market", 1, default);
        var samples = dataset.IndexesOf(SplitNames.Test).Select(i => dataset.Samples[i]).ToList();
        string[] names = [.. samples.Select(sample => sample.Class).Distinct().Order(StringComparer.Ordinal)];
        var options = new EvaluationOptions
        {
            Metrics = [Metric.Parse("recall@1"), Metric.Parse("map")],
            Protocol = new QueryGallery
            {
                Roles = [.. samples.Select(sample => sample.Name.Contains("/query/", StringComparison.Ordinal) ? ImageRole.Query : ImageRole.Gallery)],
                Cameras = [.. samples.Select(sample => sample.Name[sample.Name.LastIndexOf("_c", StringComparison.Ordinal) + 2] - '0')],
            },
        };
        var (values, dimension) = BenchmarkRun.Embeddings(Path.Combine(sandbox.Home.Path, "benchmarks", "b"), new BenchmarkJob("tiny", 0, 0));
        using var thread = new TorchThread(threads: 1);
        var expected = await thread.Run(() => EmbeddingJudge.Judge(values, dimension, [.. samples.Select(sample => Array.IndexOf(names, sample.Class))], names, options, default).Result.Values);
        foreach (var (metric, value) in expected)
            result.Json["results"]![0]!["separated"]![metric]!["values"]![0]!.GetValue<double>().ShouldBe(value, 1e-9, metric);
    }

    private async Task CheckReport(EvaluationReport report)
    {
        using var home = await OpenedHome.OpenOrCreate(sandbox.Home.Path, default);
        var run = (await home.Database.Run("market-v1", default))!;
        var page = await File.ReadAllTextAsync(await RunReport.Write(home, run, (await home.Database.ModelVersion("market", "champion", default))!, report, default));

        page.ShouldContain($"Queries looked through a gallery of {Gallery} images.");
        page.ShouldContain("most similar among the gallery");
    }
}
