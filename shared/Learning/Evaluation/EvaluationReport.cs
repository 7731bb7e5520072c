using System.Text.Json;
using System.Text.Json.Serialization;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>How a model did on images of classes that it has not seen; what evaluation.json holds.</summary>
public sealed record EvaluationReport
{
    public const string RawPixels = "raw-pixels";
    public const string Untrained = "untrained";

    /// <summary>By name: "recall@1", "recall@2", "recall@4", "recall@8", "precision@1", "r-precision", "map@r", "nmi"; all in 0 … 1.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    public required int Images { get; init; }

    public required int Classes { get; init; }

    /// <summary>Images that were judged as queries.</summary>
    public required int Queries { get; init; }

    /// <summary>Images that have their class to themselves, and so nothing to find.</summary>
    public required int ExcludedQueries { get; init; }

    public required int EmbeddingSize { get; init; }

    /// <summary>The clustering behind "nmi"; null when that was not asked for.</summary>
    [JsonPropertyName("kmeans")]
    public KMeansSettings? KMeans { get; init; }

    /// <summary>The same metrics of simpler embeddings on the same images: "raw-pixels", "untrained".</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Baselines { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, double>>(StringComparer.Ordinal);

    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <exception cref="JsonException">The text is no evaluation report.</exception>
    public static EvaluationReport FromJson(string json) =>
        JsonSerializer.Deserialize<EvaluationReport>(json, Format) ?? throw new JsonException("An evaluation report is a JSON object, not null.");

    // The text goes into a file that people read, never into a page: "k-means++" need not become "k-means\u002B\u002B".
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
