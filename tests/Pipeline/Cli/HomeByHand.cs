using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>The state of a pipeline that has worked for a while: one dataset, four runs, one model.</summary>
internal static class HomeByHand
{
    private const string Recipe = """{"backbone":"conv4","loss":{"name":"ice"},"budget":"90s"}""";

    public static Task Fill(Database database) => database.Write(async transaction =>
    {
        await Drop(transaction, "drop1", "ready", 1, null, 1);
        await Drop(transaction, "drop2", "ready", 2, null, 2);
        await Drop(transaction, "drop3", "rejected", null, "every file was broken", 3);
        for (var version = 1; version <= 2; version++) await Version(transaction, version);
        await Run(transaction, "birds-v1", 1, "registered", evaluated: new ModelEvaluated("birds-v1", "birds", 1, Reference, Metrics, null), createdAt: 1);
        await Run(transaction, "birds-v2", 2, "running", progress: new TrainingProgressed("birds-v2", 3, 40, 0.5, 1.25, 0.7, 900, 12), createdAt: 2);
        await Run(transaction, "birds-v2-queued", 2, "queued", createdAt: 3);
        await Run(transaction, "birds-v2-cancelled", 2, "cancelled", createdAt: 4);
        await transaction.Enqueue("train", "birds-v2-queued");
        await Model(transaction);
    }, CancellationToken.None);

    private static ArtifactRef Reference { get; } = new("some/key", new string('0', 64), 1);

    private static Dictionary<string, double> Metrics { get; } = new(StringComparer.Ordinal) { ["recall@1"] = 0.75, ["map@r"] = 0.5 };

    private static Task Drop(Transaction transaction, string id, string state, int? version, string? reason, long createdAt) => transaction.Execute(
        """
        insert into drops (id, dataset, state, objects, bytes, version, reason, created_at, finished_at)
        values (@id, 'birds', @state, 10, 1000, @version, @reason, @createdAt, @createdAt)
        """, new { id, state, version, reason, createdAt });

    private static Task Version(Transaction transaction, int version)
    {
        var manifest = new DatasetManifest
        {
            Dataset = "birds", Version = version, Parent = version == 1 ? null : 1, CreatedAt = DateTimeOffset.UnixEpoch, DropId = $"drop{version}",
            ContentHash = new string('a', 64), Split = new DatasetSplit("class", "one level of folders", 0.1, 0.25),
            Classes =
            [
                new DatasetClass("robin", "robin", SplitNames.Train, 5), new DatasetClass("thrush", "thrush", SplitNames.Train, 5),
                new DatasetClass("wren", "wren", SplitNames.Validation, 5), new DatasetClass("finch", "finch", SplitNames.Test, 5),
            ],
            Counts = new DatasetCounts(20, 20, 0, 0, 0), Facts = new DatasetFacts(1, 28, 28, DarkOnLight: true), Samples = Reference, Shards = [],
        };
        return transaction.Execute(
            """
            insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
            values ('birds', @version, @drop, @manifest, '{}', 20, 4, 1)
            """, new { version, drop = $"drop{version}", manifest = JsonSerializer.Serialize(manifest, ContractJson.Compact) });
    }

    private static Task Run(
        Transaction transaction, string id, int version, string state, long createdAt, TrainingProgressed? progress = null, ModelEvaluated? evaluated = null) =>
        transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, progress_json, evaluated_json, created_at)
            values (@id, 'birds', @version, @Recipe, @hash, 'cli', 'a test', @state, @progress, @evaluated, @createdAt)
            """,
            new
            {
                id, version, Recipe, hash = new string('b', 64), state, createdAt,
                progress = progress is null ? null : JsonSerializer.Serialize(progress, ContractJson.Compact),
                evaluated = evaluated is null ? null : JsonSerializer.Serialize(evaluated, ContractJson.Compact),
            });

    private static async Task Model(Transaction transaction)
    {
        var document = JsonSerializer.Serialize(new { model = "birds", version = 1, metrics = Metrics, weights = new { sha256 = new string('c', 64) } }, ContractJson.Compact);
        await transaction.Execute(
            """
            insert into model_versions (model, version, run_id, state, dataset, dataset_version, model_json, created_at) values ('birds', 1, 'birds-v1', 'ready', 'birds', 1, @document, 1);
            insert into aliases (model, alias, version) values ('birds', 'champion', 1);
            insert into alias_history (model, alias, version, promoted, reason, decided_at) values ('birds', 'champion', 1, 1, 'first', 1);
            """, new { document });
        foreach (var (name, value) in Metrics)
            await transaction.Execute("insert into model_metrics (model, version, name, value) values ('birds', 1, @name, @value)", new { name, value });
    }
}
