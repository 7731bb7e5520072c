using System.Text;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Care;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Verification and garbage collection over a store and a state that belong together.</summary>
public sealed class CareTests : IAsyncLifetime
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(1);
    private static readonly CheckpointRetention Keep = new(TimeSpan.FromDays(30), Last: 0);

    private readonly TemporaryFolder folder = new();
    private FolderStore store = null!;
    private Database database = null!;

    public async Task InitializeAsync()
    {
        store = folder.OpenStore();
        database = await folder.OpenDatabase();
        await FillDataset();
        await FillRun("birds-v1", "registered", daysSinceEnd: 2);
        await FillModel();
    }

    public Task DisposeAsync()
    {
        database.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Everything_that_the_state_counts_on_is_read_and_compared()
    {
        var reports = new List<VerificationProgress>();

        var result = await Verify(reports.Add);

        result.Problems.ShouldBeEmpty();
        (result.Objects, result.WithoutHash).ShouldBe((9, 1)); // only a model's own document has no recorded hash
        reports[^1].ShouldBe(new VerificationProgress(10, 10, result.Bytes, reports[^1].AllBytes));
    }

    [Fact]
    public async Task What_is_missing_damaged_or_cut_off_is_named_with_what_needs_it()
    {
        await Put("datasets/birds/v1/shards/0.tar", "other!");
        await Put("runs/birds-v1/evaluation.json", "longer than it was");
        await store.Delete("models/birds/v1/model.safetensors", default);
        await store.Delete("models/birds/v1/model.json", default);

        var result = await Verify(null);

        result.Problems.Select(problem => (problem.Key, problem.Of, problem.Problem)).ShouldBe(
        [
            ("datasets/birds/v1/shards/0.tar", "dataset birds v1", "damaged"), ("models/birds/v1/model.json", "model birds v1", "missing"),
            ("models/birds/v1/model.safetensors", "model birds v1", "missing"), ("runs/birds-v1/evaluation.json", "run birds-v1", "damaged"),
        ]);
        result.Objects.ShouldBe(6);
    }

    [Fact]
    public async Task What_is_needed_is_never_garbage()
    {
        await Put("inbox/birds/a.jpg", "x", daysOld: 100);

        (await Find()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_nothing_leads_to_is_found_with_the_reason_and_deleted()
    {
        await Put("datasets/birds/v1/shards/0-of-a-build-that-died.tar", "x", daysOld: 2);
        await Put("models/birds/v2/model.safetensors", "x", daysOld: 2);
        await Put("runs/nobody/checkpoints/checkpoint.safetensors", "x", daysOld: 2);
        await Put("quarantine/birds/no-such-drop/reason.json", "x", daysOld: 2);
        await Put("runs/nobody/young", "x");

        var garbage = await Find();

        garbage.Select(item => (item.Key, item.Reason)).ShouldBe(
        [
            ("datasets/birds/v1/shards/0-of-a-build-that-died.tar", "no dataset version uses it"), ("models/birds/v2/model.safetensors", "no registered version uses it"),
            ("quarantine/birds/no-such-drop/reason.json", "there is no such drop"), ("runs/nobody/checkpoints/checkpoint.safetensors", "there is no such run"),
        ]);
        (await GarbageCollection.Delete(database, store, garbage, Age, Keep, null, default)).ShouldBe((4, 4));
        (await Find()).ShouldBeEmpty();
        (await Verify(null)).Problems.ShouldBeEmpty();
        (await store.Find("runs/nobody/young", default)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("registered", 40, true)]
    [InlineData("cancelled", 40, true)]
    [InlineData("failed", 40, true)]
    [InlineData("registered", 20, false)]
    [InlineData("cancelled", 20, false)]
    [InlineData("running", 40, false)]
    [InlineData("trained", 40, false)]
    public async Task A_checkpoint_stays_as_long_as_its_run_could_go_on_from_it(string state, int daysSinceEnd, bool collected)
    {
        await FillRun("other", state, daysSinceEnd);
        await Put("runs/other/checkpoints/checkpoint.safetensors", "x", daysOld: 50);
        await Put("runs/other/metrics.jsonl", "x", daysOld: 50);

        (await Find()).Select(item => item.Key).ShouldBe(collected ? ["runs/other/checkpoints/checkpoint.safetensors"] : []);
    }

    [Theory]
    [InlineData("registered", true)]
    [InlineData("failed", true)]
    [InlineData("running", false)]
    [InlineData("trained", false)]
    public async Task What_another_attempt_at_a_run_wrote_is_garbage_when_the_run_has_ended(string state, bool collected)
    {
        await FillRun("other", state, daysSinceEnd: 2);
        var counts = (await store.PutByContent("runs/birds-v1/model.json", new MemoryStream("{}"u8.ToArray()), default)).Key;
        counts.ShouldBe("runs/birds-v1/model-44136fa3.json");
        var lost = (await store.PutByContent("runs/other/model.json", new MemoryStream("another"u8.ToArray()), default)).Key;
        foreach (var key in new[] { counts, lost }) File.SetLastWriteTimeUtc(Path.Combine(store.Root, key), DateTime.UtcNow.AddDays(-2));
        await database.Write(transaction => transaction.Execute("update runs set trained_json = replace(trained_json, 'runs/birds-v1/model.json', @counts) where id = 'birds-v1'", new { counts }), default);

        (await Find()).Select(item => item.Key).ShouldBe(collected ? [lost] : []);
    }

    [Fact]
    public async Task The_newest_runs_and_those_of_aliases_keep_their_checkpoints_however_old()
    {
        foreach (var (id, age) in new[] { ("oldest", 3), ("champion", 2), ("older", 1), ("newest", 0) })
        {
            await FillRun(id, "cancelled", daysSinceEnd: 100);
            await database.Write(transaction => transaction.Execute("update runs set created_at = @created where id = @id", new { id, created = 1000 - age }), default);
            await Put($"runs/{id}/checkpoints/checkpoint.safetensors", "x", daysOld: 50);
        }
        await database.Write(transaction => transaction.Execute(
            """
            insert into model_versions (model, version, run_id, state, dataset, dataset_version, created_at) values ('birds', 7, 'champion', 'pending', 'birds', 1, 5);
            insert into aliases (model, alias, version) values ('birds', 'champion', 7)
            """), default);

        (await Collected(last: 0)).ShouldBe(["newest", "older", "oldest"]);
        (await Collected(last: 1)).ShouldBe(["older", "oldest"]);
        (await Collected(last: 2)).ShouldBe(["oldest"]);

        async Task<IEnumerable<string>> Collected(int last) =>
            (await GarbageCollection.Find(database, store, Age, Keep with { Last = last }, default)).Select(item => item.Key.Split('/')[1]);
    }

    [Fact]
    public async Task A_model_of_an_attempt_that_lost_its_lease_is_garbage_once_another_was_taken()
    {
        await Put("runs/birds-v1/models/0123456789ab/model.safetensors", "late", daysOld: 2);
        (await Find()).ShouldHaveSingleItem().Reason.ShouldBe("another attempt of the run was taken");

        await FillRun("other", "running", daysSinceEnd: 0);
        await Put("runs/other/models/0123456789ab/model.safetensors", "not taken yet", daysOld: 2);
        (await Find()).ShouldHaveSingleItem().Key.ShouldStartWith("runs/birds-v1/");
    }

    [Fact]
    public async Task What_work_under_way_has_written_stays()
    {
        await database.Write(async transaction =>
        {
            await transaction.Execute("insert into drops (id, dataset, state, objects, bytes, created_at) values ('d2', 'birds', 'settled', 1, 1, 5)");
            await transaction.Execute("insert into model_versions (model, version, run_id, state, dataset, dataset_version, created_at) values ('birds', 2, 'r2', 'pending', 'birds', 1, 5)");
        }, default);
        await Put("datasets/birds/v2/shards/0.tar", "x", daysOld: 2);
        await Put("models/birds/v2/model.safetensors", "x", daysOld: 2);
        await Put("quarantine/birds/d2/files/1", "x", daysOld: 2);

        (await Find()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_came_to_be_needed_or_was_written_again_since_it_was_found_is_not_deleted()
    {
        await Put("runs/late/checkpoints/checkpoint.safetensors", "x", daysOld: 2);
        await Put("datasets/birds/v1/again.tar", "x", daysOld: 2);
        var garbage = await Find();
        garbage.Count.ShouldBe(2);

        await FillRun("late", "running", daysSinceEnd: 0);
        await Put("datasets/birds/v1/again.tar", "x");

        (await GarbageCollection.Delete(database, store, garbage, Age, Keep, null, default)).ShouldBe((0, 0));
    }

    private async Task<VerificationResult> Verify(Action<VerificationProgress>? progress) =>
        await StoreVerification.Run((await StoredReferences.All(database, default)).Values, store, progress, default);

    private Task<IReadOnlyList<Garbage>> Find() => GarbageCollection.Find(database, store, Age, Keep, default);

    private async Task<ArtifactRef> Put(string key, string text, int daysOld = 0)
    {
        var stored = await store.Put(key, new MemoryStream(Encoding.UTF8.GetBytes(text)), default);
        File.SetLastWriteTimeUtc(Path.Combine(store.Root, key), DateTime.UtcNow.AddDays(-daysOld));
        return stored;
    }

    private async Task FillDataset()
    {
        var shard = await Put("datasets/birds/v1/shards/0.tar", "shard!", daysOld: 50);
        var quarantine = await Put("quarantine/birds/d1/reason.json", "{}", daysOld: 50);
        await Put("quarantine/birds/d1/files/1", "refused", daysOld: 50);
        var manifest = new DatasetManifest
        {
            Dataset = "birds", Version = 1, CreatedAt = DateTimeOffset.UnixEpoch, DropId = "d1", ContentHash = "", Split = new DatasetSplit("class", "", 0.1, 0.2), Classes = [],
            Counts = new DatasetCounts(1, 1, 0, 0, 1), Facts = new DatasetFacts(1, 28, 28, DarkOnLight: true), Samples = await Put("datasets/birds/v1/samples.jsonl", "{}", daysOld: 50),
            Shards = [new DatasetShard(shard.Key, shard.Sha256, shard.Bytes, 1)], Quarantine = quarantine,
        };
        var json = JsonSerializer.Serialize(manifest, ContractJson.Compact);
        var written = await Put("datasets/birds/v1/manifest.json", json, daysOld: 50);
        await database.Write(async transaction =>
        {
            await transaction.Execute(
                "insert into drops (id, dataset, state, objects, bytes, outcome_json, created_at) values ('d1', 'birds', 'ready', 1, 1, @outcome, 5)",
                new { outcome = JsonSerializer.Serialize(new { quarantine }, ContractJson.Compact) });
            await transaction.Execute(
                """
                insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
                values ('birds', 1, 'd1', @json, @reference, 1, 1, 5)
                """, new { json, reference = JsonSerializer.Serialize(written, ContractJson.Compact) });
        }, default);
    }

    private async Task FillRun(string id, string state, int daysSinceEnd)
    {
        var trained = state is "registered" or "trained"
            ? new ModelTrained(id, "birds", 1, await Put($"runs/{id}/model.safetensors", "weights", daysOld: 50), await Put($"runs/{id}/model.json", "{}", daysOld: 50)) : null;
        var evaluated = state == "registered"
            ? new ModelEvaluated(id, "birds", 1, await Put($"runs/{id}/evaluation.json", "{}", daysOld: 50), new Dictionary<string, double>(), null) : null;
        await database.Write(transaction => transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, trained_json, evaluated_json, created_at, finished_at)
            values (@id, 'birds', 1, '{}', '', 'test', '', @state, @trained, @evaluated, 0, @finished)
            """,
            new
            {
                id, state, trained = trained is null ? null : JsonSerializer.Serialize(trained, ContractJson.Compact),
                evaluated = evaluated is null ? null : JsonSerializer.Serialize(evaluated, ContractJson.Compact),
                finished = DateTimeOffset.UtcNow.AddDays(-daysSinceEnd).ToUnixTimeMilliseconds(),
            }), default);
    }

    private async Task FillModel()
    {
        var weights = await Put("models/birds/v1/model.safetensors", "weights", daysOld: 50);
        var evaluation = await Put("models/birds/v1/evaluation.json", "{}", daysOld: 50);
        var document = JsonSerializer.Serialize(
            new { weights = new { sha256 = weights.Sha256, bytes = weights.Bytes }, lineage = new { evaluationSha256 = evaluation.Sha256 } }, ContractJson.Compact);
        await Put("models/birds/v1/model.json", document, daysOld: 50);
        await database.Write(transaction => transaction.Execute(
            "insert into model_versions (model, version, run_id, state, dataset, dataset_version, model_json, created_at) values ('birds', 1, 'birds-v1', 'ready', 'birds', 1, @document, 5)",
            new { document }), default);
    }
}
