using System.Text.Json.Nodes;
using DmlPipeline.Cli;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>Benchmarks and sweeps on a small dataset that a real pipeline has ingested.</summary>
public sealed class ExperimentTests : IAsyncLifetime
{
    private readonly Sandbox sandbox = new();

    private string Recipe => Path.Combine(sandbox.Folder, "small.yaml");

    public async Task InitializeAsync()
    {
        var settings = new LocalSettings(sandbox.Home) { Port = 0, Training = training => training.OnNewData = false, Inbox = inbox => inbox.SettleSeconds = 1 };
        await using var pipeline = await LocalPipeline.Start(settings, default);
        var inbox = Path.Combine(sandbox.Home.StoreFolder, "inbox", "letters");
        GlyphSample.Write(inbox, alphabets: 5, charactersPerAlphabet: 4, drawingsPerCharacter: 6, seed: 1, default);
        await File.WriteAllTextAsync(Path.Combine(inbox, "_READY"), "");
        for (var tries = 0; await pipeline.Database.LatestDatasetVersion("letters", default) is null; tries++)
        {
            tries.ShouldBeLessThan(1200, "the dataset is not there after two minutes");
            await Task.Delay(100);
        }
        await File.WriteAllTextAsync(Recipe, "epochs: 1\nloss: {name: ice, scale: 16}\nembedding_size: 16\nimage: {size: 16}\nsampler: {classes: 4, images_per_class: 4}\nthreads: 1\n");
    }

    public Task DisposeAsync()
    {
        sandbox.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_benchmark_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been()
    {
        string[] command = ["benchmark", "letters", "--recipes", $"{Recipe},softmax", "--folds", "2", "--epochs", "1", "--name", "both", "--json", "--home", sandbox.Home.Path];
        var firstJob = Path.Combine(sandbox.Home.Path, "benchmarks", "both", "jobs", "small-s0-f0", "result.json");

        (await RunUntil(() => File.Exists(firstJob), command)).ShouldBe(130);
        var written = File.GetLastWriteTimeUtc(firstJob);
        var resumed = await Sandbox.DmlWithout(command);

        resumed.Code.ShouldBe(0, resumed.Error);
        resumed.Error.ShouldContain("done before");
        File.GetLastWriteTimeUtc(firstJob).ShouldBe(written);
        var results = resumed.Json["results"]!.AsArray();
        results.Select(result => result!["recipe"]!.ToString()).ShouldBe(["small", "softmax"]);
        var separated = results[0]!["separated"]!["map@r"]!;
        separated["values"]!.AsArray().Count.ShouldBe(2);
        separated["mean"]!.GetValue<double>().ShouldBe(separated["values"]!.AsArray().Average(value => value!.GetValue<double>()), 1e-12);
        results[0]!["concatenated"]!["map@r"]!["values"]!.AsArray().Count.ShouldBe(1);
        resumed.Json["otherDifferences"]!.AsArray().Select(key => key!.ToString()).ShouldContain("embedding_size");

        // In one go, under another name: the same numbers to the last digit, as the seeds are the same.
        command[^4] = "again";
        var whole = await Sandbox.DmlWithout(command);
        whole.Json["results"]![0]!.ToJsonString().ShouldBe(resumed.Json["results"]![0]!.ToJsonString());
        var text = await Sandbox.DmlWithout([.. command.Where(word => word != "--json"), "--metrics", "recall@1,nmi"]);
        foreach (var word in new[] { "Separated", "Concatenated", "nmi", "±", "differ in" }) text.Output.ShouldContain(word);
    }

    [Fact]
    public async Task A_benchmark_goes_on_only_with_the_inputs_it_was_begun_with()
    {
        string[] command = ["benchmark", "letters", "--recipes", Recipe, "--epochs", "1", "--folds", "2", "--name", "one", "--home", sandbox.Home.Path];
        (await Sandbox.DmlWithout(command)).Code.ShouldBe(0);
        command[5] = "2";

        var result = await Sandbox.DmlWithout(command);

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("begun with another recipes");
        result.Error.ShouldContain("--name");
    }

    [Fact]
    public async Task More_folds_than_the_classes_allow_are_refused()
    {
        var result = await sandbox.Dml("benchmark", "letters", "--recipes", "ice", "--folds", "50");

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("fewer --folds");
    }

    [Theory]
    [InlineData("tpe")]
    [InlineData("halving")]
    public async Task A_sweep_that_was_stopped_goes_on_and_leaves_its_best_recipe(string method)
    {
        string[] command = ["sweep", Recipe, "letters", "--trials", "4", "--method", method, "--name", "search", "--json", "--home", sandbox.Home.Path];
        var log = Path.Combine(sandbox.Home.Path, "sweeps", "search", "trials.jsonl");

        (await RunUntil(() => File.Exists(log), command)).ShouldBe(130);
        // As a kill in the middle of writing would leave it.
        await File.AppendAllTextAsync(log, "{\"trial\":9,\"poi");
        var result = await Sandbox.DmlWithout(command);

        result.Code.ShouldBe(0, result.Error);
        var trials = result.Json["trials"]!.AsArray();
        trials.Count.ShouldBe(method == "tpe" ? 4 : 5);
        trials.Select(trial => (trial!["trial"]!.GetValue<int>(), trial["round"]!.GetValue<int>())).Distinct().Count().ShouldBe(trials.Count);
        var best = result.Json["best"]!["values"]!["loss.scale"]!.ToString();
        var yaml = result.Json["bestRecipe"]!.ToString();
        (await File.ReadAllTextAsync(yaml)).ShouldContain($"  scale: {best}\n");
        (await sandbox.Dml("recipes", "show", yaml)).Code.ShouldBe(0);
        (await sandbox.Dml("sweeps")).Output.ShouldContain($"loss.scale {best}");
        (await sandbox.Dml("sweeps", "show", "search")).Output.ShouldContain("best.yaml");
        Directory.EnumerateDirectories(Path.Combine(sandbox.Home.Path, "sweeps", "search", "trials")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_space_file_says_what_is_varied_and_mistakes_in_it_are_said_first()
    {
        var space = Path.Combine(sandbox.Folder, "space.yaml");
        await File.WriteAllTextAsync(space, "embedding_size: [8, 16]\nloss.scael: [4, 8]\n");

        var wrong = await sandbox.Dml("sweep", Recipe, "letters", "--space", space, "--trials", "1");
        wrong.Code.ShouldBe(1);
        wrong.Error.ShouldContain("loss.scael");

        await File.WriteAllTextAsync(space, "embedding_size: [8, 16]\n");
        var right = await sandbox.Dml("sweep", Recipe, "letters", "--space", space, "--trials", "2", "--method", "random", "--json");
        right.Json["trials"]!.AsArray().ShouldAllBe(trial => ((JsonObject)trial!["values"]!).Single().Key == "embedding_size");
    }

    /// <summary>Runs the command line and interrupts it as soon as something is so.</summary>
    private static async Task<int> RunUntil(Func<bool> isSo, string[] command)
    {
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var running = CommandLine.Run(command, output, error, stop.Token);
        while (!running.IsCompleted && !isSo()) await Task.Delay(1);
        await stop.CancelAsync();
        return await running;
    }
}
