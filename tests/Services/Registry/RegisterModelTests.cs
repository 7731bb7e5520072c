using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Registry;

public sealed class RegisterModelTests : IAsyncLifetime
{
    private RegistryFixture registry = null!;

    public async Task InitializeAsync() => registry = await RegistryFixture.Create();

    public async Task DisposeAsync() => await registry.DisposeAsync();

    [Fact]
    public async Task The_first_version_is_registered_whole_and_promoted()
    {
        await registry.Start();

        (await registry.Register("run-1", 0.5)).ShouldSatisfyAllConditions(run => run.State.ShouldBe("registered"), run => run.FinishedAt!.Value.ShouldBeGreaterThan(1));

        (await registry.Champion()).ShouldBe(1);
        (await registry.Text("models/birds/v1/model.safetensors")).ShouldBe("weights of run-1");
        (await registry.Text("models/birds/v1/evaluation.json")).ShouldContain("map@r");
        (await registry.Text("models/birds/v1/model.json")).ShouldBe((await registry.Versions()).Single().ModelJson);
        var document = await registry.Document(1);
        ((int)document["version"]!, (string)document["runId"]!, (double)document["metrics"]!["map@r"]!).ShouldBe((1, "run-1", 0.5));
        ((int)document["lineage"]!["datasetVersion"]!, (int)document["lineage"]!["seed"]!).ShouldBe((1, 1));
        document["lineage"]!["championBefore"].ShouldBeNull();
        Read<ModelRegistered>(await registry.Messages(nameof(ModelRegistered))).Single().Version.ShouldBe(1);
        var promoted = Read<ModelPromoted>(await registry.Messages(nameof(ModelPromoted))).Single();
        (promoted.Version, promoted.PreviousVersion, promoted.RunId).ShouldBe((1, null, "run-1"));
    }

    [Theory]
    [InlineData(0.6, true)]
    [InlineData(0.5, false)]
    [InlineData(0.4, false)]
    public async Task A_challenger_takes_over_only_when_it_is_better(double score, bool promoted)
    {
        await registry.Start();
        await registry.Register("run-1", 0.5);

        await registry.Register("run-2", score, Champion(1, 0.5));

        (await registry.Versions()).Select(version => version.Version).ShouldBe([2, 1]);
        (await registry.Champion()).ShouldBe(promoted ? 2 : 1);
        ((int)(await registry.Document(2))["lineage"]!["championBefore"]!).ShouldBe(1);
        (await registry.Messages(nameof(ModelPromoted))).Count.ShouldBe(promoted ? 2 : 1);
        (await registry.Messages(nameof(PromotionRefused))).Count.ShouldBe(promoted ? 0 : 1);
        (await registry.Database.AliasHistory("birds", default)).Select(row => (row.Version, row.PreviousVersion, row.Promoted))
            .ShouldBe([(1, null, true), (2, 1, promoted)]);
    }

    [Fact]
    public async Task The_champions_score_on_the_challengers_split_counts_and_not_the_one_it_was_registered_with()
    {
        await registry.Start();
        await registry.Register("run-1", 0.9);

        // The second dataset version is harder: there the champion reaches only 0.3.
        await registry.Register("run-2", 0.4, Champion(1, 0.3), datasetVersion: 2);

        (await registry.Champion()).ShouldBe(2);
    }

    [Fact]
    public async Task A_challenger_that_was_judged_beside_a_former_champion_is_judged_again_and_keeps_its_number()
    {
        await registry.Start();
        await registry.Register("run-1", 0.5);
        await registry.Register("run-2", 0.6, Champion(1, 0.5));

        var sentBack = await registry.Register("run-3", 0.7, Champion(1, 0.4), datasetVersion: 2);

        (sentBack.State, sentBack.EvaluatedJson).ShouldBe(("trained", null));
        (await registry.Database.Lease("evaluate", "worker", TimeSpan.FromMinutes(1), default))!.Subject.ShouldBe("run-3");
        (await registry.Versions()).Select(version => version.Version).ShouldBe([2, 1]);
        (await registry.Champion()).ShouldBe(2);

        await registry.Register("run-3", 0.7, Champion(2, 0.65), datasetVersion: 2);

        (await registry.Champion()).ShouldBe(3);
        ((int)(await registry.Document(3))["lineage"]!["championBefore"]!).ShouldBe(2);
        (await registry.Messages(nameof(ModelRegistered))).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_champion_of_the_same_dataset_version_is_compared_by_the_metrics_that_it_has()
    {
        await registry.Start();
        await registry.Register("run-1", 0.5);
        await registry.Register("run-2", 0.8, Champion(1, 0.5));

        // Judged while version 1 was champion; version 2 was judged on the very same split.
        (await registry.Register("run-3", 0.7, Champion(1, 0.5))).State.ShouldBe("registered");

        (await registry.Champion()).ShouldBe(2);
        Read<PromotionRefused>(await registry.Messages(nameof(PromotionRefused))).Single().ChampionVersion.ShouldBe(2);
    }

    [Fact]
    public async Task Of_many_runs_that_end_together_the_best_becomes_champion_and_every_one_gets_its_number()
    {
        double[] scores = [0.3, 0.8, 0.1, 0.6, 0.7, 0.2];
        for (var i = 0; i < scores.Length; i++) await registry.Evaluate($"run-{i}", scores[i]);
        await registry.Start();
        for (var i = 0; i < scores.Length; i++) (await registry.Settled($"run-{i}")).State.ShouldBe("registered");

        (await registry.Versions()).Select(version => version.Version).ShouldBe([6, 5, 4, 3, 2, 1]);
        (await registry.Database.ModelVersion("birds", "champion", default))!.RunId.ShouldBe("run-1");
        (await registry.Messages(nameof(ModelRegistered))).Count.ShouldBe(6);
        var aliases = await registry.Database.AliasHistory("birds", default);
        aliases.Where(row => row.Promoted).Select(row => row.PreviousVersion).Skip(1).ShouldBe(aliases.Where(row => row.Promoted).Select(row => (int?)row.Version).SkipLast(1));
    }

    [Fact]
    public async Task A_repeated_delivery_registers_nothing_more_and_changes_no_document()
    {
        await registry.Start();
        var first = await registry.Evaluate("run-1", 0.5);
        await registry.Settled("run-1");
        await registry.Register("run-2", 0.6, Champion(1, 0.5));
        var document = await registry.Text("models/birds/v1/model.json");

        var same = Guid.NewGuid();
        for (var i = 0; i < 3; i++) await registry.Deliver(first, same);
        await registry.Publish(first);
        await registry.Register("run-3", 0.55, Champion(2, 0.6));

        (await registry.Text("models/birds/v1/model.json")).ShouldBe(document);
        (await registry.Champion()).ShouldBe(2);
        (await registry.Messages(nameof(ModelRegistered))).Count.ShouldBe(3);
        (await registry.Database.AliasHistory("birds", default)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task After_a_death_between_number_and_end_the_same_number_is_used_again()
    {
        await Pending("run-1", version: 1);
        await Pending("run-2", version: 2);
        await registry.Put("models/birds/v2/model.safetensors", "half a copy");
        await registry.Evaluate("run-2", 0.5, publish: false);
        await registry.Evaluate("run-3", 0.4);
        await registry.Start();

        // Nothing was published for run-2: the reconciler finds that its registration is owed.
        (await registry.Settled("run-2")).State.ShouldBe("registered");
        (await registry.Settled("run-3")).State.ShouldBe("registered");

        (await registry.Versions()).Select(version => (version.Version, version.RunId)).ShouldBe([(3, "run-3"), (2, "run-2")]);
        (await registry.Text("models/birds/v2/model.safetensors")).ShouldBe("weights of run-2");
        (await registry.Database.ModelVersion("birds", "1", default)).ShouldBeNull();
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("model.json")]
    [InlineData("evaluation.json")]
    public async Task A_run_whose_objects_have_changed_is_not_registered(string changed)
    {
        await registry.Start();
        await registry.Evaluate("run-1", 0.5, publish: false);
        await registry.Put($"runs/run-1/{changed}", """{"not":"what was evaluated"}""");
        await registry.Publish(JsonSerializer.Deserialize<ModelEvaluated>((await registry.Database.Run("run-1", default))!.EvaluatedJson!, ContractJson.Compact)!);

        var run = await registry.Settled("run-1");

        run.State.ShouldBe("failed");
        run.Error.ShouldNotBeNull().ShouldContain($"runs/run-1/{changed} has changed since it was written");
        (await registry.Versions()).ShouldBeEmpty();
        Read<TrainingFailed>(await registry.Messages(nameof(TrainingFailed))).Single().Reason.ShouldBe(run.Error);
        (await registry.Database.Models(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_evaluation_that_was_repeated_meanwhile_is_no_longer_taken()
    {
        var stale = await registry.Evaluate("run-1", 0.9, publish: false);
        await registry.Evaluate("run-1", 0.5, publish: false);
        await registry.Start();

        await registry.Publish(stale);
        (await registry.Settled("run-1")).State.ShouldBe("registered");

        ((double)(await registry.Document(1))["metrics"]!["map@r"]!).ShouldBe(0.5);
    }

    private static ChampionOnSameSplit Champion(int version, double score) =>
        new(version, new Dictionary<string, double>(StringComparer.Ordinal) { ["map@r"] = score, ["recall@1"] = score + 0.1 });

    private Task Pending(string run, int version) => registry.Database.Write(transaction => transaction.Execute(
        "insert into model_versions (model, version, run_id, state, dataset, dataset_version, created_at) values ('birds', @version, @run, 'pending', 'birds', 1, 0)",
        new { run, version }), default);

    private static IEnumerable<T> Read<T>(IEnumerable<string> messages) => messages.Select(json => JsonSerializer.Deserialize<T>(json, ContractJson.Compact)!);
}
