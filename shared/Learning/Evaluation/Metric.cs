using System.Globalization;
using System.Runtime.InteropServices;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>What can be measured; README.md beside this file defines each.</summary>
public enum MetricKind
{
    Recall,
    Cmc,
    Precision,
    RPrecision,
    MapAtR,
    Map,
    Mrr,
    Nmi,
    Ami,
    Purity,
    PairwiseF1,
}

/// <summary>One metric, such as recall@8 or nmi.</summary>
/// <param name="Kind">What is measured.</param>
/// <param name="K">Of recall@k, cmc@k and precision@k; 0 for the others.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Metric(MetricKind Kind, int K = 0)
{
    private const int MostK = 1_000_000;

    private static readonly Dictionary<string, MetricKind> Kinds = new(StringComparer.Ordinal)
    {
        ["recall"] = MetricKind.Recall, ["cmc"] = MetricKind.Cmc, ["precision"] = MetricKind.Precision,
        ["r-precision"] = MetricKind.RPrecision, ["map@r"] = MetricKind.MapAtR, ["map"] = MetricKind.Map, ["mrr"] = MetricKind.Mrr,
        ["nmi"] = MetricKind.Nmi, ["ami"] = MetricKind.Ami, ["purity"] = MetricKind.Purity, ["pairwise-f1"] = MetricKind.PairwiseF1,
    };

    /// <summary>What a report holds unless something else is asked for.</summary>
    public static IReadOnlyList<Metric> Default { get; } =
    [
        Recall(1), Recall(2), Recall(4), Recall(8), new(MetricKind.Precision, 1), new(MetricKind.RPrecision), new(MetricKind.MapAtR), new(MetricKind.Nmi),
    ];

    /// <summary>All that <see cref="Parse"/> understands, with k where there is one.</summary>
    public static IReadOnlyList<string> Forms { get; } = [.. Kinds.Select(kind => HasK(kind.Value) ? $"{kind.Key}@K" : kind.Key)];

    /// <summary>The name in reports: "recall@8", "map@r", "nmi".</summary>
    public string Name
    {
        get
        {
            var kind = Kind;
            var word = Kinds.First(entry => entry.Value == kind).Key;
            return HasK(kind) ? $"{word}@{K.ToString(CultureInfo.InvariantCulture)}" : word;
        }
    }

    /// <summary>Whether the rank of every relevant image matters, however far down it is.</summary>
    public bool NeedsFullRanking => Kind is MetricKind.Map or MetricKind.Mrr;

    /// <summary>Whether embeddings are clustered for it: then it has one value for the whole set and none per query.</summary>
    public bool NeedsClusters => Kind is MetricKind.Nmi or MetricKind.Ami or MetricKind.Purity or MetricKind.PairwiseF1;

    public static Metric Recall(int k) => new(MetricKind.Recall, k);

    /// <summary>Reads a name such as "recall@10", "map" or "ami".</summary>
    /// <exception cref="ArgumentException">There is no such metric; the message lists those there are.</exception>
    public static Metric Parse(string name)
    {
        if (Kinds.TryGetValue(name, out var plain) && !HasK(plain)) return new Metric(plain);
        var parts = name.Split('@');
        if (parts.Length == 2 && Kinds.TryGetValue(parts[0], out var kind) && HasK(kind)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var k) && k is >= 1 and <= MostK)
            return new Metric(kind, k);
        throw new ArgumentException($"There is no metric '{name}'; there are {string.Join(", ", Forms)}, with a whole number from 1 for K.");
    }

    public override string ToString() => Name;

    private static bool HasK(MetricKind kind) => kind is MetricKind.Recall or MetricKind.Cmc or MetricKind.Precision;
}
