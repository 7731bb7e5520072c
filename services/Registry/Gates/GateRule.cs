using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DmlPipeline.Contracts;

namespace DmlPipeline.Registry.Gates;

/// <summary>What the bootstrap draws again and again.</summary>
public enum DrawnUnit
{
    /// <summary>Whole classes. Queries of a class succeed and fail together, so this is the honest one.</summary>
    Classes,

    /// <summary>Single queries: narrower intervals, and more promotions by luck; for a test whose classes are all that there ever will be.</summary>
    Queries,
}

/// <summary>How classes are put together that must not get worse.</summary>
public enum ClassGroups
{
    /// <summary>By the folder that they lie in; classes in no folder are in no group.</summary>
    Folder,

    /// <summary>Every class by itself.</summary>
    Class,

    /// <summary>There are none.</summary>
    None,
}

/// <summary>When a challenger takes the champion's place. What it holds is written down with every decision.</summary>
public sealed record GateRule
{
    /// <summary>What the challenger must be better in; one that has a value for every query. MAP@R sees the whole ranking.</summary>
    public string Metric { get; init; } = "map@r";

    /// <summary>By how much at least, on the current test split: 0.01 is a point.</summary>
    public double MinimumGain { get; init; }

    /// <summary>Share of the draws inside the interval of the gain, which must lie above zero as a whole.</summary>
    public double Confidence { get; init; } = 0.95;

    public int Resamples { get; init; } = 2000;

    public long Seed { get; init; } = 1;

    public DrawnUnit Over { get; init; }

    /// <summary>How much worse it may be on the frozen test split, once the dataset has grown.</summary>
    public double MaximumFrozenLoss { get; init; } = 0.01;

    /// <summary>How much worse it may be in any group of classes.</summary>
    public double MaximumGroupLoss { get; init; } = 0.05;

    public ClassGroups GroupBy { get; init; }

    /// <summary>A group of fewer queries is too small to tell; it is not judged.</summary>
    public int MinimumGroupQueries { get; init; } = 50;

    /// <summary>Bounds by name, see <see cref="GateLimits"/>.</summary>
    public IReadOnlyDictionary<string, double> Limits { get; init; } = new SortedDictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Checks by name that must have passed: the evaluation's own, or reported by people and programs.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Whether a person must approve as well.</summary>
    public bool ManualApproval { get; init; }

    /// <summary>One text for equal rules.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    public static GateRule FromJson(string json) => JsonSerializer.Deserialize<GateRule>(json, Format)!;

    /// <summary>SHA-256 of <see cref="ToJson"/>, by which a rule is known again.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToJson())));

    private static readonly JsonSerializerOptions Format = new(ContractJson.Compact) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };
}

/// <summary>Limits on what a model costs: absolute, and beside the champion.</summary>
public static class GateLimits
{
    public const string LatencyMs = "latency_ms", LatencyRatio = "latency_ratio", SizeMb = "size_mb", SizeRatio = "size_ratio", EmbeddingSize = "embedding_size";

    public static readonly IReadOnlyList<string> All = [LatencyMs, LatencyRatio, SizeMb, SizeRatio, EmbeddingSize];
}
