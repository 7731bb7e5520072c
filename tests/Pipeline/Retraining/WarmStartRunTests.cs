using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Contracts;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Pipeline.Cli;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline.Retraining;

/// <summary>A policy that lets a training go on from the champion, as the whole pipeline follows it.</summary>
public sealed class WarmStartRunTests : IDisposable
{
    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task New_data_are_trained_on_from_the_champion_and_from_scratch_and_the_better_one_is_registered_and_reproduced()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(temporary.Home) { Port = 0, Training = training => training.Recipe = "{ \"epochs\": 2, \"image\": { \"size\": 28 }, \"threads\": 1 }", Inbox = inbox => inbox.SettleSeconds = 600 }, default);
        await File.WriteAllTextAsync(Path.Combine(temporary.Inbox("letters"), "dataset.yaml"), "split_by: class\nvalidation: 0.2\ntest: 0.3\n");
        Drop(drawings: 6);
        await Registered(pipeline, "letters-v1");
        await SetPolicy(pipeline, PolicySettings.Both);

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
        (await Reproduce(2)).Json["identical"]!.GetValue<bool>().ShouldBeTrue("the start that was kept knew nothing of the other");

        await SetPolicy(pipeline, PolicySettings.Champion);
        Drop(drawings: 10);
        await Registered(pipeline, "letters-v3");
        (await Reproduce(3)).ShouldSatisfyAllConditions(again => again.Code.ShouldBe(0, again.Error), again => again.Json["identical"]!.GetValue<bool>().ShouldBeTrue());

        await pipeline.Database.Write(transaction => transaction.Execute(
            """update model_versions set model_json = replace(model_json, '"pretrainedSha256":', '"pretrainedSha256":"0","before":') where version = 3"""), default);
        (await Reproduce(3)).ShouldSatisfyAllConditions(again => again.Code.ShouldBe(1), again => again.Error.ShouldContain("is not what letters v3 began with"));
    }

    private Task<Sandbox.Result> Reproduce(int version) => Sandbox.DmlWithout("reproduce", $"letters@{version}", "--json", "--home", temporary.Home.Path);

    private static Task<int> SetPolicy(LocalPipeline pipeline, string start) => pipeline.Database.Write(transaction => transaction.Execute(
        """
        insert into retraining_policies (dataset, policy_json, changed_at) values ('letters', @policy, 0)
        on conflict (dataset) do update set policy_json = excluded.policy_json
        """, new { policy = new PolicySettings { Start = start, Replay = 0.5 }.ToJson() }), default);

    /// <summary>All at once, however slowly they are written: the marker says that no more comes.</summary>
    private void Drop(int drawings)
    {
        GlyphSample.Write(temporary.Inbox("letters"), alphabets: 3, charactersPerAlphabet: 6, drawings, seed: 1, default);
        File.WriteAllText(Path.Combine(temporary.Inbox("letters"), "_READY"), "");
    }

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
