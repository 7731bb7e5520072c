using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>From the inbox to the registry, through every service, as a user would meet it.</summary>
public sealed class WholePipelineTests : IDisposable
{
    private const string TinyRecipe = "{ \"epochs\": 2, \"image\": { \"size\": 28 }, \"threads\": 1 }";

    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task A_drop_becomes_a_dataset_version_a_model_and_a_champion()
    {
        await using var pipeline = await Start();

        DropGlyphs("letters", alphabets: 3, seed: 1);
        var run = await Registered(pipeline, "letters-v1");

        var dataset = (await pipeline.Database.DatasetVersions("letters", default)).ShouldHaveSingleItem();
        dataset.Images.ShouldBe(3 * 6 * 6);
        var model = await pipeline.Database.ModelVersion("letters", "champion", default);
        model.ShouldNotBeNull().Version.ShouldBe(1);
        model.RunId.ShouldBe(run.Id);
        foreach (var file in new[] { "model.safetensors", "model.json", "evaluation.json" })
            (await pipeline.Store.Find($"models/letters/v1/{file}", default)).ShouldNotBeNull(file);
    }

    [Fact]
    public async Task New_images_make_the_next_version_and_the_same_images_make_none()
    {
        await using var pipeline = await Start();
        DropGlyphs("letters", alphabets: 3, seed: 1);
        await Registered(pipeline, "letters-v1");

        DropGlyphs("letters", alphabets: 4, seed: 1);
        await Registered(pipeline, "letters-v2");
        DropGlyphs("letters", alphabets: 4, seed: 1);
        var drops = await Eventually(
            async () => await pipeline.Database.Drops("letters", default), drops => drops.Count == 3 && drops.All(drop => drop.FinishedAt is not null));

        drops.Select(drop => drop.State).ShouldBe(["ready", "ready", "unchanged"]);
        drops[2].Reason.ShouldNotBeNullOrWhiteSpace();
        var versions = await pipeline.Database.DatasetVersions("letters", default);
        versions.Select(version => version.Images).ShouldBe([3 * 6 * 6, 4 * 6 * 6]);
        versions[1].Manifest.Counts.Added.ShouldBe(6 * 6);
        var history = await pipeline.Database.AliasHistory("letters", default);
        history.Count.ShouldBe(2);
        history[1].Reason.ShouldContain("v1");
    }

    [Fact]
    public async Task The_registry_answers_over_http()
    {
        await using var pipeline = await Start();
        DropGlyphs("letters", alphabets: 3, seed: 1);
        await Registered(pipeline, "letters-v1");
        using var client = new HttpClient { BaseAddress = new Uri(pipeline.Address) };

        var model = await client.GetFromJsonAsync<JsonElement>("/api/models/letters/champion");
        var bytes = await client.GetByteArrayAsync(model.GetProperty("download").GetString());
        Convert.ToHexStringLower(SHA256.HashData(bytes)).ShouldBe(model.GetProperty("weights").GetProperty("sha256").GetString());

        var recall = model.GetProperty("metrics").GetProperty("recall@1").GetDouble();
        (await Count($"recall@1>={recall}")).ShouldBe(1);
        (await Count($"recall@1>{recall}")).ShouldBe(0);
        using var strange = new HttpRequestMessage(HttpMethod.Get, "/api/models") { Headers = { Host = "attacker.example" } };
        (await client.SendAsync(strange)).StatusCode.ShouldBe(HttpStatusCode.MisdirectedRequest);

        async Task<int> Count(string filter) =>
            (await client.GetFromJsonAsync<JsonElement>($"/api/models/letters?filter={Uri.EscapeDataString(filter)}")).GetArrayLength();
    }

    [Fact]
    public async Task A_cancelled_run_keeps_its_checkpoint_and_is_resumed_to_the_end()
    {
        await using var pipeline = await Start("{ \"epochs\": 80, \"threads\": 1 }");
        DropGlyphs("letters", alphabets: 3, seed: 1);
        await Eventually(() => pipeline.Database.Run("letters-v1", default), run => run?.ProgressJson is not null);

        await pipeline.Database.RequestCancel("letters-v1", default);
        await Eventually(() => pipeline.Database.Run("letters-v1", default), run => run!.State == "cancelled");
        (await pipeline.Store.Find("runs/letters-v1/checkpoints/checkpoint.safetensors", default)).ShouldNotBeNull();

        (await pipeline.Database.Resume("letters-v1", default)).ShouldBeTrue();
        await Registered(pipeline, "letters-v1");
        (await pipeline.Database.ModelVersions("letters", [], null, 10, 0, default)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stopped_pipeline_goes_on_where_it_was()
    {
        await using (var first = await Start("{ \"epochs\": 80, \"threads\": 1 }"))
        {
            DropGlyphs("letters", alphabets: 3, seed: 1);
            await Eventually(() => first.Database.Run("letters-v1", default), run => run?.ProgressJson is not null);
        }

        await using var second = await Start();
        var run = await Registered(second, "letters-v1");

        run.RecipeJson.ShouldContain("\"epochs\":80");
        (await second.Database.ModelVersions("letters", [], null, 10, 0, default)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_was_asked_for_is_trained_also_when_its_message_was_lost()
    {
        await using (var first = await Start(trainsByItself: false))
        {
            DropGlyphs("letters", alphabets: 3, seed: 1);
            await Eventually(() => first.Database.LatestDatasetVersion("letters", default), version => version is not null);
        }
        using (var database = await temporary.Home.OpenDatabase(default))
        {
            var manifest = (await database.LatestDatasetVersion("letters", default))!.Manifest;
            var recipe = RecipeChoice.Resolve(TinyRecipe, manifest, null, null, threads: 1);
            var asked = new TrainModel("asked", "letters", 1, RecipeFile.ToCanonicalJson(recipe), "test", "asked for");
            await database.Write(transaction => transaction.AddRun(asked, RecipeFile.Hash(recipe)), default);
        }

        await using var second = await Start(trainsByItself: false);
        await Registered(second, "asked");
    }

    [Fact]
    public async Task Two_pipelines_cannot_share_a_home()
    {
        await using var pipeline = await Start();

        var error = await Should.ThrowAsync<InvalidOperationException>(() => Start());

        error.Message.ShouldContain(temporary.Home.Path);
        error.Message.ShouldContain("--home");
    }

    private Task<LocalPipeline> Start(string recipe = TinyRecipe, bool trainsByItself = true) => LocalPipeline.Start(
        new LocalSettings(temporary.Home)
        {
            Port = 0,
            Training = training => (training.Recipe, training.OnNewData) = (recipe, trainsByItself),
            Inbox = inbox => inbox.SettleSeconds = 1,
        }, default);

    private void DropGlyphs(string dataset, int alphabets, int seed)
    {
        var inbox = temporary.Inbox(dataset);
        GlyphSample.Write(inbox, alphabets, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed, default);
        // Other bytes than the last time: an object that is the same as before is no new drop.
        File.WriteAllText(Path.Combine(inbox, "_READY"), Guid.NewGuid().ToString());
    }

    private static async Task<RunRow> Registered(LocalPipeline pipeline, string run) =>
        (await Eventually(
            async () => await pipeline.Database.Run(run, default) is { State: "failed" } failed
                ? throw new InvalidOperationException(failed.Error)
                : await pipeline.Database.Run(run, default),
            row => row?.State == "registered"))!;

    private static async Task<T> Eventually<T>(Func<Task<T>> look, Func<T, bool> isTrue)
    {
        // Far more than it takes: the limit is there so that a broken pipeline ends the test.
        for (var deadline = DateTime.UtcNow.AddMinutes(3); ; await Task.Delay(100))
        {
            var value = await look();
            if (isTrue(value)) return value;
            if (DateTime.UtcNow > deadline) throw new TimeoutException($"Still not so after 3 minutes: {JsonSerializer.Serialize(value)}");
        }
    }
}
