using System.Text.Json.Nodes;
using DmlPipeline.Contracts;

namespace DmlPipeline.Registry;

/// <summary><c>model.json</c> of a registered version: what training wrote about the model, plus version, metrics and lineage.</summary>
public static class ModelDocument
{
    public static JsonObject Compose(
        string model, int version, JsonObject trained, ModelEvaluated evaluated, ArtifactRef weights, string datasetContentHash, int? championBefore)
    {
        var document = (JsonObject)trained.DeepClone();
        document["schema"] = "dmlpipeline.model/1";
        document["model"] = model;
        document["version"] = version;
        document["runId"] = evaluated.RunId;
        document["weights"] = new JsonObject { ["file"] = ModelFiles.Weights, ["sha256"] = weights.Sha256, ["bytes"] = weights.Bytes };
        document["metrics"] = new JsonObject(evaluated.Metrics.Select(metric => KeyValuePair.Create(metric.Key, (JsonNode?)metric.Value)));
        var lineage = document["lineage"] as JsonObject ?? [];
        lineage["dataset"] = evaluated.Dataset;
        lineage["datasetVersion"] = evaluated.DatasetVersion;
        lineage["datasetContentHash"] = datasetContentHash;
        lineage["evaluationSha256"] = evaluated.Evaluation.Sha256;
        if (championBefore is { } champion) lineage["championBefore"] = champion;
        document["lineage"] = lineage.Parent is null ? lineage : lineage.DeepClone();
        return document;
    }

    /// <summary>The metrics that the document holds.</summary>
    public static IReadOnlyDictionary<string, double> Metrics(string document) =>
        (JsonNode.Parse(document)?["metrics"] as JsonObject ?? []).ToDictionary(metric => metric.Key, metric => metric.Value!.GetValue<double>(), StringComparer.Ordinal);
}
