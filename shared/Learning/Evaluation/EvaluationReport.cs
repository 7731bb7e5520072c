using System.Text.Json;
using System.Text.Json.Serialization;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>How a model did on images of classes that it has not seen; what evaluation.json holds.</summary>
public sealed record EvaluationReport
{
    public const string RawPixels = "raw-pixels";
    public const string Untrained = "untrained";

    /// <summary>By name: "recall@1", …, "precision@1", "r-precision", "map@r", "nmi", "5w1s"; in 0 … 1 ("ami" may be a little below 0).</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    public required int Images { get; init; }

    public required int Classes { get; init; }

    /// <summary>Images that were judged as queries.</summary>
    public required int Queries { get; init; }

    /// <summary>Images that have their class to themselves, and so nothing to find.</summary>
    public required int ExcludedQueries { get; init; }

    public required int EmbeddingSize { get; init; }

    /// <summary>Images that every query looked through, itself and what the protocol hides among them; null in reports from before there were roles.</summary>
    public int? GalleryImages { get; init; }

    /// <summary>How queries and gallery were chosen and the ranking refined; null for the plain case: every image among all the others.</summary>
    public ProtocolNote? Protocol { get; init; }

    /// <summary>Confidence intervals by metric name; null when they were not asked for.</summary>
    public IReadOnlyDictionary<string, Interval>? Intervals { get; init; }

    /// <summary>How <see cref="Intervals"/> were computed. Those of episodes are Student's, over episodes.</summary>
    public IntervalSettings? IntervalSettings { get; init; }

    /// <summary>Few-shot episodes; null when none were asked for.</summary>
    public IReadOnlyList<EpisodeResult>? Episodes { get; init; }

    /// <summary>Every class by itself; null when that was not asked for.</summary>
    public IReadOnlyList<ClassScore>? Classwise { get; init; }

    /// <summary>The clustering behind "nmi"; null when that was not asked for.</summary>
    [JsonPropertyName("kmeans")]
    public KMeansSettings? KMeans { get; init; }

    /// <summary>Probabilities and thresholds; null when they were not asked for.</summary>
    public CalibrationReport? Calibration { get; init; }

    /// <summary>What the linear maps among <see cref="Baselines"/> were fitted to; null when there are none.</summary>
    public LinearNote? Linear { get; init; }

    /// <summary>The same metrics of simpler embeddings on the same images: "raw-pixels", "untrained"; linear maps of them and of the model's: "lda", "raw-pixels-lda".</summary>
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
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };
}

/// <summary>What makes an evaluation more than "every image among all the others".</summary>
/// <param name="HasRoles">Queries and gallery are different images.</param>
/// <param name="HasCameras">A query does not see images of its class from its own camera.</param>
/// <param name="ReRanking">Null for none.</param>
/// <param name="QueryExpansion">Null for none.</param>
/// <param name="DatabaseAugmentation">Null for none.</param>
public sealed record ProtocolNote(
    bool HasRoles, bool HasCameras, ReRanking? ReRanking, NeighbourAveraging? QueryExpansion, NeighbourAveraging? DatabaseAugmentation);

/// <summary>How linear baselines were fitted.</summary>
/// <param name="FittedOn">The images, in words.</param>
/// <param name="FittedImages">Their number.</param>
/// <param name="FittedClasses">Their classes.</param>
/// <param name="Dimensions">What is left of the features, by baseline.</param>
public sealed record LinearNote(string FittedOn, int FittedImages, int FittedClasses, IReadOnlyDictionary<string, int> Dimensions);

/// <summary>One class of the test.</summary>
/// <param name="Class">Its name.</param>
/// <param name="Queries">Its images that were judged as queries.</param>
/// <param name="Metrics">Their means.</param>
public sealed record ClassScore(string Class, int Queries, IReadOnlyDictionary<string, double> Metrics);
