using DmlPipeline.Cli.Sample;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Torch;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>Commands that load a model: here one that was never trained, in a file of its own, so that no home is needed.</summary>
public sealed class ModelCommandTests : IAsyncLifetime
{
    private readonly Sandbox sandbox = new();

    private string Model => Path.Combine(sandbox.Folder, "model.safetensors");

    private string Data => Path.Combine(sandbox.Folder, "glyphs");

    private string Query => Path.Combine(Data, "Alphabet02", "character03", "04.png");

    public async Task InitializeAsync()
    {
        GlyphSample.Write(Data, alphabets: 2, charactersPerAlphabet: 3, drawingsPerCharacter: 4, seed: 1, default);
        using var thread = new TorchThread(threads: 1);
        await thread.Run(() =>
        {
            using var model = EmbeddingModel.Create(new ModelSpec("conv4", 16, new ImageShape(1, 28, 28), [0.1], [0.3], Invert: true), seed: 1);
            model.Save(Model);
            return true;
        });
    }

    public Task DisposeAsync()
    {
        sandbox.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Evaluation_takes_a_folder_that_was_never_dropped_and_judges_every_class()
    {
        await File.WriteAllTextAsync(Path.Combine(Data, "Alphabet01", "character01", "broken.png"), "no image");

        var result = await sandbox.Dml("evaluate", Model, "--dataset", Data, "--json");

        result.Code.ShouldBe(0, result.Error);
        var json = result.Json;
        json["classes"]!.GetValue<int>().ShouldBe(6);
        json["images"]!.GetValue<int>().ShouldBe(24);
        json["refused"]!.AsArray().ShouldHaveSingleItem()!["name"]!.ToString().ShouldEndWith("broken.png");
        var metrics = json["metrics"]!.AsObject().ToDictionary(metric => metric.Key, metric => metric.Value!.GetValue<double>());
        metrics.Keys.ShouldBe(["recall@1", "recall@2", "recall@4", "recall@8", "precision@1", "r-precision", "map@r", "nmi"], ignoreOrder: true);
        metrics.Values.ShouldAllBe(value => value >= 0 && value <= 1);
        metrics["recall@8"].ShouldBeGreaterThanOrEqualTo(metrics["recall@1"]);
    }

    [Fact]
    public async Task Baselines_are_judged_beside_the_model_when_asked_for()
    {
        var result = await sandbox.Dml("evaluate", Model, "--dataset", Data, "--baselines");

        result.Code.ShouldBe(0, result.Error);
        foreach (var row in new[] { "this model", "raw pixels", "untrained" }) result.Output.ShouldContain(row);
    }

    [Fact]
    public async Task Metrics_ranks_intervals_and_episodes_are_those_asked_for()
    {
        var result = await sandbox.Dml(
            "evaluate", Model, "--dataset", Data, "--json", "--k", "1,3", "--metrics", "map,ami", "--episodes", "3w1s-within", "--intervals", "queries", "--per-class");

        result.Code.ShouldBe(0, result.Error);
        result.Json["metrics"]!.AsObject().Select(metric => metric.Key).ShouldBe(["recall@1", "recall@3", "map", "ami", "3w1s-within"]);
        result.Json["intervals"]!.AsObject().Select(metric => metric.Key).ShouldBe(["recall@1", "recall@3", "map", "3w1s-within"]);
        result.Json["intervalSettings"]!["over"]!.ToString().ShouldBe("queries");
        result.Json["classwise"]!.AsArray().Count.ShouldBe(6);
    }

    [Fact]
    public async Task Intervals_and_the_worst_classes_are_shown_in_words()
    {
        var result = await sandbox.Dml("evaluate", Model, "--dataset", Data, "--per-class", "--rerank");

        result.Code.ShouldBe(0, result.Error);
        result.Output.ShouldContain("95 % interval");
        result.Output.ShouldContain("Alphabet02/character03");
    }

    [Fact]
    public async Task Roles_make_queries_and_a_gallery()
    {
        var roles = Path.Combine(sandbox.Folder, "roles.csv");
        var lines = Directory.EnumerateFiles(Data, "*.png", SearchOption.AllDirectories)
            .Select(file => $"{Path.GetRelativePath(Data, file)},{(file.EndsWith("01.png", StringComparison.Ordinal) ? "query" : "gallery")},{file[^5]}");
        await File.WriteAllLinesAsync(roles, lines.Prepend("image,role,camera"));

        var result = await sandbox.Dml("evaluate", Model, "--dataset", Data, "--roles", roles, "--metrics", "cmc@1,map", "--json");

        result.Code.ShouldBe(0, result.Error);
        (result.Json["queries"]!.GetValue<int>(), result.Json["galleryImages"]!.GetValue<int>()).ShouldBe((6, 18));
        result.Json["protocol"]!["hasCameras"]!.GetValue<bool>().ShouldBeTrue();

        await File.AppendAllTextAsync(roles, "nowhere.png,query,1\n");
        (await sandbox.Dml("evaluate", Model, "--dataset", Data, "--roles", roles)).Error.ShouldContain("row 25 after the header: there is no image 'nowhere.png'");
    }

    [Fact]
    public async Task Linear_baselines_and_calibration_are_fitted_to_other_images()
    {
        var other = Path.Combine(sandbox.Folder, "other");
        GlyphSample.Write(other, alphabets: 2, charactersPerAlphabet: 4, drawingsPerCharacter: 5, seed: 2, default);
        string[] evaluate = ["evaluate", Model, "--dataset", Data, "--metrics", "recall@1,map", "--episodes", "3w1s", "--linear", "lda,kissme,ldml", "--dimensions", "6", "--calibrate", "--fit-on", other];

        var json = await sandbox.Dml([.. evaluate, "--json"]);
        var text = await sandbox.Dml(evaluate);

        json.Code.ShouldBe(0, json.Error);
        var baselines = json.Json["baselines"]!.AsObject();
        baselines.Select(baseline => baseline.Key).ShouldBe(["raw-pixels", "lda", "raw-pixels-lda", "kissme", "raw-pixels-kissme", "ldml", "raw-pixels-ldml"]);
        foreach (var (name, metrics) in baselines) metrics!.AsObject().Select(metric => metric.Key).ShouldBe(["recall@1", "map", "3w1s"], name);
        var linear = json.Json["linear"]!;
        (linear["fittedImages"]!.GetValue<int>(), linear["fittedClasses"]!.GetValue<int>(), linear["dimensions"]!["lda"]!.GetValue<int>()).ShouldBe((40, 8, 6));
        var calibration = json.Json["calibration"]!;
        calibration["fittedOn"]!.ToString().ShouldBe(other);
        calibration["pairs"]!["samePairs"]!.GetValue<int>().ShouldBe(6 * 6);
        calibration["nearestClass"]!["temperature"]!.GetValue<double>().ShouldBeGreaterThan(0);
        calibration["verification"]!["thresholds"]!.AsArray().Count.ShouldBe(4);

        text.Code.ShouldBe(0, text.Error);
        foreach (var part in new[] { "raw pixels kissme", "40 images of 8 classes", "equal error rate", "false matches wanted", "too few pairs" }) text.Output.ShouldContain(part);
    }

    [Fact]
    public async Task What_there_is_to_fit_to_must_be_named_where_the_model_does_not_say()
    {
        (await sandbox.Dml("evaluate", Model, "--dataset", Data, "--calibrate")).Error.ShouldContain("--fit-on");
        (await sandbox.Dml("evaluate", Model, "--dataset", Data, "--linear", "itml")).Code.ShouldBe(2);
        (await sandbox.Dml("evaluate", Model, "--dataset", Data, "--linear", "kissme", "--rerank")).Error.ShouldContain("by distance");
        (await sandbox.Dml("evaluate", Model, "--dataset", Data, "--dimensions", "8")).Error.ShouldContain("--linear");
    }

    [Fact]
    public async Task A_folder_has_no_splits()
    {
        var result = await sandbox.Dml("evaluate", Model, "--dataset", Data, "--split", "test");

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("--split");
    }

    [Fact]
    public async Task Search_finds_an_image_itself_first_and_writes_a_page()
    {
        var page = Path.Combine(sandbox.Folder, "found.html");

        var result = await sandbox.Dml("search", Query, "--model", Model, "--gallery", Data, "-k", "3", "--html", page, "--json");

        result.Code.ShouldBe(0, result.Error);
        var found = result.Json["results"]!.AsArray().ShouldHaveSingleItem()!["found"]!.AsArray();
        found.Count.ShouldBe(3);
        found[0]!["class"]!.ToString().ShouldBe("Alphabet02/character03");
        found[0]!["image"]!.ToString().ShouldEndWith("04.png");
        found[0]!["similarity"]!.GetValue<double>().ShouldBe(1, 1e-5);
        (await File.ReadAllTextAsync(page)).ShouldContain("data:image/png;base64,");
    }

    [Fact]
    public async Task Embeddings_are_written_in_both_formats_with_equal_values()
    {
        var (npy, safetensors) = (Path.Combine(sandbox.Folder, "v.npy"), Path.Combine(sandbox.Folder, "v.safetensors"));

        (await sandbox.Dml("embed", Data, "--model", Model, "-o", npy)).Code.ShouldBe(0);
        (await sandbox.Dml("embed", Data, "--model", Model, "-o", safetensors)).Code.ShouldBe(0);

        var (arrays, metadata) = Safetensors.ReadFloats(safetensors);
        var (values, shape) = arrays["embeddings"];
        shape.ShouldBe([24, 16]);
        metadata["names"].ShouldContain("04.png");
        var bytes = await File.ReadAllBytesAsync(npy);
        BitConverter.ToSingle(bytes, bytes.Length - 4).ShouldBe(values[^1]);
        File.Exists(Path.ChangeExtension(npy, ".json")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_refused_with_its_name()
    {
        var wrong = sandbox.Write("other", "weights.safetensors");

        var result = await sandbox.Dml("evaluate", Path.Combine(wrong, "weights.safetensors"), "--dataset", Data);

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("error: " + Path.Combine(wrong, "weights.safetensors"));
    }
}
