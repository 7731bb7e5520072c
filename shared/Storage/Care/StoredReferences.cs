using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Storage.Care;

/// <summary>Everything in the store that the state counts on: what must be there and whole, and what must not be cleared away.</summary>
public static class StoredReferences
{
    /// <summary>All of them; an object that several count on, such as a shard that versions share, is named once.</summary>
    public static async Task<IReadOnlyDictionary<string, StoredReference>> All(Database database, CancellationToken cancel)
    {
        var found = new Dictionary<string, StoredReference>(StringComparer.Ordinal);
        foreach (var row in await database.DatasetVersions(dataset: null, cancel))
            foreach (var reference in OfVersion(row)) Add(found, reference);
        foreach (var row in await database.Drops(dataset: null, cancel))
            foreach (var reference in OfDrop(row)) Add(found, reference);
        foreach (var row in await database.Runs(dataset: null, cancel))
            foreach (var reference in OfRun(row)) Add(found, reference);
        foreach (var row in await database.Query<ModelVersionRow>("select * from model_versions where state = 'ready' and model_json is not null", null, cancel))
            foreach (var reference in OfModel(row)) Add(found, reference);
        foreach (var row in await database.Query<GateDecisionRow>("select * from gate_decisions where comparison_json is not null", null, cancel))
            Add(found, new(Read<ArtifactRef>(row.ComparisonJson!)!, $"model {row.Model} v{row.Version}"));
        return found;
    }

    private static void Add(Dictionary<string, StoredReference> found, StoredReference reference)
    {
        // One that knows the hash says more than one that does not.
        if (!found.TryGetValue(reference.Key, out var known) || known.Sha256 is null) found[reference.Key] = reference;
    }

    private static IEnumerable<StoredReference> OfVersion(DatasetVersionRow row)
    {
        var of = $"dataset {row.Dataset} v{row.Version}";
        var manifest = row.Manifest;
        if (Read<ArtifactRef>(row.ManifestRefJson) is { Key: not null } written) yield return new(written, of);
        yield return new(manifest.Samples, of);
        foreach (var shard in manifest.Shards) yield return new(shard.Key, shard.Sha256, shard.Bytes, of);
        if (manifest.NearDuplicates is { } near) yield return new(near, of);
        if (manifest.Quarantine is { } refused) yield return new(refused, of);
    }

    private static IEnumerable<StoredReference> OfDrop(DropRow row)
    {
        if (row.OutcomeJson is null || JsonNode.Parse(row.OutcomeJson)?["quarantine"] is not { } quarantine) yield break;
        yield return new(quarantine.Deserialize<ArtifactRef>(ContractJson.Compact)!, $"drop {row.Id} of {row.Dataset}");
    }

    private static IEnumerable<StoredReference> OfRun(RunRow row)
    {
        var of = $"run {row.Id}";
        if (row.TrainedJson is not null && Read<ModelTrained>(row.TrainedJson) is { } trained)
        {
            yield return new(trained.Weights, of);
            yield return new(trained.Model, of);
        }
        if (row.EvaluatedJson is not null && Read<ModelEvaluated>(row.EvaluatedJson) is { } evaluated)
        {
            yield return new(evaluated.Evaluation, of);
            if (evaluated.Comparison is { } comparison) yield return new(comparison, of);
        }
    }

    private static IEnumerable<StoredReference> OfModel(ModelVersionRow row)
    {
        var of = $"model {row.Model} v{row.Version}";
        var folder = $"models/{row.Model}/v{row.Version}";
        var document = JsonNode.Parse(row.ModelJson)!;
        yield return new($"{folder}/model.safetensors", (string?)document["weights"]?["sha256"], (long?)document["weights"]?["bytes"], of);
        yield return new($"{folder}/evaluation.json", (string?)document["lineage"]?["evaluationSha256"], Bytes: null, of);
        yield return new($"{folder}/model.json", Sha256: null, Bytes: null, of);
    }

    private static T? Read<T>(string json) => JsonSerializer.Deserialize<T>(json, ContractJson.Compact);
}
