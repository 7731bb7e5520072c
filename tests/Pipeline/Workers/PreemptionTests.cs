using DmlPipeline.Cli.Sample;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using DmlPipeline.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Tests.Pipeline.Workers;

/// <summary>Real trainings by real workers that share a database and a store, as processes do.</summary>
public sealed class PreemptionTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly TemporaryHome temporary = new();
    private Database database = null!;
    private FolderStore store = null!;
    private Contracts.Datasets.DatasetManifest manifest = null!;

    public async Task InitializeAsync()
    {
        database = await temporary.Home.OpenDatabase(default);
        store = temporary.Home.OpenStore();
        GlyphSample.Write(temporary.Inbox("letters"), alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);
        var temporaryFolder = Directory.CreateDirectory(temporary.Home.TemporaryFolder).FullName;
        var built = (DatasetBuildResult.Built)await DatasetBuilder.Build(
            store, new Drop("d", "letters", store.List("inbox/letters/", default)), parent: null, version: 1, new IngestionOptions { TemporaryFolder = temporaryFolder }, progress: null, default);
        manifest = built.Manifest;
    }

    public Task DisposeAsync()
    {
        database.Dispose();
        temporary.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_urgent_run_is_trained_first_and_the_other_goes_on_elsewhere_from_its_checkpoint()
    {
        using var first = await Worker("first");
        await Ask("patient", "epochs: 100000", "low");
        await Until("patient", run => run.ProgressJson is not null && run.ProgressJson.Contains("\"epoch\":3", StringComparison.Ordinal));

        await Ask("urgent", "epochs: 1", "high");
        await Until("urgent", run => run.State == "trained");
        var gaveWay = await Job("patient");
        (gaveWay.Failures, gaveWay.GaveWay).ShouldBe((0, 1));
        (await store.Find(RunRows.CheckpointKey("patient"), default)).ShouldNotBeNull();
        await first.StopAsync();

        using var second = await Worker("second");
        await Until("patient", run => run.State == "running");
        await Eventually(async () => File.Exists(Path.Combine(temporary.Home.Path, "second", "patient", "metrics.jsonl"))
            && (await File.ReadAllLinesAsync(Path.Combine(temporary.Home.Path, "second", "patient", "metrics.jsonl"))) is [var line, ..] && line.Contains("\"epoch\":1,", StringComparison.Ordinal));
        await database.RequestCancel("patient", default);
        await Until("patient", run => run.State == "cancelled");
        await second.StopAsync();

        (await database.QueryOne<string>("select state from jobs where subject = 'urgent'", null, default)).ShouldBe("done");
        (await database.Query<string>("select type from outbox order by id", null, default)).ShouldBe(["ModelTrained", "TrainingCancelled"]);
    }

    private async Task<IHost> Worker(string name)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(database).AddSingleton<IArtifactStore>(store);
        builder.Services.AddEmbeddedBus(_ => { }).AddTraining();
        builder.Services.Configure<TrainingOptions>(training => (training.WorkFolder, training.UndisturbedSeconds) = (Path.Combine(temporary.Home.Path, name), 0));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private Task Ask(string run, string length, string priority)
    {
        var recipe = RecipeChoice.Resolve($"{length}\nimage: {{size: 28}}", manifest, budget: null, seed: null, threads: 1);
        return database.Write(async transaction =>
        {
            await transaction.AddRun(new TrainModel(run, "letters", 1, RecipeFile.ToCanonicalJson(recipe), "test", "asked for", priority), RecipeFile.Hash(recipe));
            await transaction.EnqueueTraining(run);
        }, default);
    }

    private Task Until(string run, Func<RunRow, bool> holds) => Eventually(async () => holds((await database.Run(run, default))!));

    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var deadline = DateTime.UtcNow + Limit; !await holds(); await Task.Delay(50))
            if (DateTime.UtcNow > deadline) throw new TimeoutException("It did not come to that.");
    }

    private Task<(int Failures, int GaveWay)> Job(string run) => database.QueryOne<(int, int)>("select failures, gave_way from jobs where subject = @run", new { run }, default);
}
