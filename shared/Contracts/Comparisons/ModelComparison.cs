namespace DmlPipeline.Contracts.Comparisons;

/// <summary>
/// <c>runs/&lt;id&gt;/comparison.json</c>: what a promotion is decided by. The challenger beside the champion of that moment, query by query on the
/// very same images; what both cost; and the checks that the evaluation made.
/// </summary>
public sealed record ModelComparison
{
    public const string CurrentSchema = "dmlpipeline.comparison/1";

    public string Schema { get; init; } = CurrentSchema;

    /// <summary>Model version of the champion; null when there was none, and then no number here is its.</summary>
    public int? Champion { get; init; }

    /// <summary><see cref="SplitKinds.Current"/>; and <see cref="SplitKinds.Frozen"/> when the dataset has grown since its first version.</summary>
    public required IReadOnlyList<ComparedSplit> Splits { get; init; }

    public required ModelCost ChallengerCost { get; init; }

    public ModelCost? ChampionCost { get; init; }

    /// <summary>Checks that need the model: a gate may require them by name.</summary>
    public required IReadOnlyList<NamedCheck> Checks { get; init; }

    public ComparedSplit? Split(string kind) => Splits.FirstOrDefault(split => split.Kind == kind);

    /// <summary>The same challenger beside another champion that was judged on the same images; null when it was not.</summary>
    public ModelComparison? Against(int champion, ModelComparison judged)
    {
        if (Splits.Count != judged.Splits.Count || !Splits.Zip(judged.Splits).All(pair => pair.First.HasQueriesOf(pair.Second))) return null;
        return this with
        {
            Champion = champion,
            ChampionCost = judged.ChallengerCost,
            Splits = [.. Splits.Zip(judged.Splits, (mine, other) => mine with { Champion = other.Challenger })],
        };
    }
}

/// <summary>Which images judge two models.</summary>
public static class SplitKinds
{
    /// <summary>The test split of the dataset version that the challenger was trained on: old images and new ones.</summary>
    public const string Current = "current";

    /// <summary>Those of them that were in the test split of the dataset's first version.</summary>
    public const string Frozen = "frozen";
}

/// <summary>How two models did on the same queries.</summary>
/// <param name="Kind">One of <see cref="SplitKinds"/>.</param>
/// <param name="DatasetVersion">The version whose test split it is.</param>
/// <param name="Classes">Names of the classes.</param>
/// <param name="Labels">By query: its class, an index of <paramref name="Classes"/>.</param>
/// <param name="Challenger">By metric, by query.</param>
/// <param name="Champion">Likewise; null when there was no champion.</param>
public sealed record ComparedSplit(
    string Kind, int DatasetVersion, IReadOnlyList<string> Classes, IReadOnlyList<int> Labels,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Challenger, IReadOnlyDictionary<string, IReadOnlyList<double>>? Champion)
{
    internal bool HasQueriesOf(ComparedSplit other) =>
        Kind == other.Kind && DatasetVersion == other.DatasetVersion && Labels.SequenceEqual(other.Labels) && Classes.SequenceEqual(other.Classes, StringComparer.Ordinal);
}

/// <summary>What a model costs whoever uses it.</summary>
/// <param name="Bytes">Length of its weights.</param>
/// <param name="EmbeddingSize">Values of an embedding.</param>
/// <param name="LatencyMs">Median milliseconds for the embedding of a single image, decoded already.</param>
/// <param name="Device">Where that was measured: <c>cpu</c> or <c>cuda</c>.</param>
public sealed record ModelCost(long Bytes, int EmbeddingSize, double LatencyMs, string Device);

/// <param name="Name">Such as <c>beats-raw-pixels</c>.</param>
/// <param name="Passed">Whether it held.</param>
/// <param name="Detail">With which numbers.</param>
public sealed record NamedCheck(string Name, bool Passed, string Detail);
