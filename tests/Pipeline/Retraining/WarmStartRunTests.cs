using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Contracts;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline.Retraining;

/// <summary>A policy that lets a training go on from the champion, as the whole pipeline follows it.</summary>
public sealed class WarmStartRunTests : IDisposable
{
    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task New_data_are_trained_on_from_the_champion_and_from_scratch_and_the_better_one_is_registered()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(temporary.Home) { Port = 0, Training = training => training.Recipe = "{ \"epochs\": 2, \"image\": { \"size\": 28 }, \"threads\": 1 }", Inbox = inbox => inbox.SettleSeconds = 1 }, default);
        await File.WriteAllTextAsync(Path.Combine(temporary.Inbox("letters"), "dataset.yaml"), "split_by: class\nvalidation: 0.2\ntest: 0.3\n");
        Drop(drawings: 6);
        await Registered(pipeline, "letters-v1");
        await pipeline.Database.Write(transaction => transaction.Execute(
            "insert into retraining_policies (dataset, policy_json, changed_at) values ('letters', @policy, 0)",
            new { policy = new PolicySettings { Start = PolicySettings.Both, Replay = 0.5 }.ToJson() }), default);

        Drop(drawings: 8);
        var run = await Registered(pipeline, "letters-v2");

        run.Reason.ShouldBe("36 images are new since v1; from champion v1 and from scratch, the better one stays");
        run.RecipeJson.ShouldContain("\"warm_start\":{\"also_from_scratch\":true,\"replay\":0.5,\"trained_on\":1,\"weights\":\"artifact:models/letters/v1/model.safetensors\"}");
        var trained = JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!;
        await using var document = await pipeline.Store.OpenRead(trained.Model.Key, default);
        var training = (await JsonDocument.ParseAsync(document)).RootElement.GetProperty("training");
        training.GetProperty("start").GetString().ShouldBeOneOf("warm", "scratch");
        training.GetProperty("otherStartValidationMapAtR").GetDouble().ShouldBeInRange(0, 1);
        foreach (var start in new[] { "warm", "scratch" })
            (await pipeline.Store.Find($"runs/letters-v2/checkpoints/{start}/checkpoint.safetensors", default)).ShouldNotBeNull(start);
    }

    private void Drop(int drawings) => GlyphSample.Write(temporary.Inbox("letters"), alphabets: 3, charactersPerAlphabet: 6, drawings, seed: 1, default);

    private static async Task<RunRow> Registered(LocalPipeline pipeline, string id)
    {
        // Far more than it takes: the limit is there so that a broken pipeline ends the test.
        for (var deadline = DateTime.UtcNow.AddMinutes(3); DateTime.UtcNow < deadline; await Task.Delay(100))
        {
            var run = await pipeline.Database.Run(id, default);
            if (run?.State == "registered") return run;
            if (run?.State == "failed") throw new InvalidOperationException(run.Error);
        }
        throw new TimeoutException($"{id} was never registered.");
    }
}
