using System.Security.Cryptography;
using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>Runs that begin with weights out of the store.</summary>
public sealed class PretrainedRunTests : IDisposable
{
    private const string Recipe = "epochs: 1\nimage: {size: 28}\nthreads: 1\n", Weights = "models/letters/v1/model.safetensors";

    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task A_run_begins_with_a_registered_model_and_its_own_model_says_so()
    {
        await using (var first = await Start())
        {
            GlyphSample.Write(temporary.Inbox("letters"), alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);
            await Ended(first, "letters-v1", "registered");
        }
        await Ask("tuned", $"{Recipe}pretrained: artifact:{Weights}\n");
        await Ask("missing", $"{Recipe}pretrained: artifact:weights/none.pth\n");
        await Ask("unfit", $"{Recipe}pretrained: artifact:{Weights}\nbackbone: mobilenet-v3-small\nimage: {{size: 32}}\n".Replace("image: {size: 28}\n", "", StringComparison.Ordinal));

        await using var second = await Start();
        await Ended(second, "tuned", "registered");
        var missing = await Ended(second, "missing", "failed");
        var unfit = await Ended(second, "unfit", "failed");

        var trained = JsonSerializer.Deserialize<ModelTrained>((await second.Database.Run("tuned", default))!.TrainedJson!, ContractJson.Compact)!;
        await using var model = await second.Store.OpenRead(trained.Model.Key, default);
        var lineage = (await JsonDocument.ParseAsync(model)).RootElement.GetProperty("lineage");
        lineage.GetProperty("pretrained").GetString().ShouldBe($"artifact:{Weights}");
        var bytes = await File.ReadAllBytesAsync(await second.Store.LocalFile(Weights, default));
        lineage.GetProperty("pretrainedSha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        missing.Error.ShouldNotBeNull().ShouldContain("'weights/none.pth'");
        unfit.Error.ShouldNotBeNull().ShouldContain("do not fit the backbone mobilenet-v3-small");
    }

    private Task<LocalPipeline> Start() => LocalPipeline.Start(
        new LocalSettings(temporary.Home)
        {
            Port = 0,
            Training = training => training.Recipe = Recipe,
            Inbox = inbox => inbox.SettleSeconds = 1,
        }, default);

    /// <summary>A run that a pipeline owes when it starts.</summary>
    private async Task Ask(string run, string text)
    {
        using var database = await temporary.Home.OpenDatabase(default);
        var manifest = (await database.LatestDatasetVersion("letters", default))!.Manifest;
        var recipe = RecipeChoice.Resolve(text, manifest, null, null, threads: 1);
        var asked = new TrainModel(run, "letters", 1, RecipeFile.ToCanonicalJson(recipe), "test", "asked for");
        await database.Write(transaction => transaction.AddRun(asked, RecipeFile.Hash(recipe)), default);
    }

    private static async Task<RunRow> Ended(LocalPipeline pipeline, string run, string state)
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(5); ; await Task.Delay(100))
        {
            var row = await pipeline.Database.Run(run, default);
            if (row?.State == state) return row;
            if (row?.State is "failed" or "registered") throw new InvalidOperationException($"{run} is {row.State}: {row.Error}");
            if (DateTime.UtcNow > deadline) throw new TimeoutException($"{run} is still {row?.State ?? "unknown"}.");
        }
    }
}
