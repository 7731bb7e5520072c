using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Storage;

namespace DmlPipeline.Evaluation;

/// <summary>One model on the test split, with what a comparison needs beyond the report.</summary>
/// <param name="Outcome">Report, embeddings and scores.</param>
/// <param name="Labels">By image.</param>
/// <param name="Classes">By label.</param>
/// <param name="Cost">What the model costs its users.</param>
internal sealed record JudgedModel(EvaluationOutcome Outcome, int[] Labels, IReadOnlyList<string> Classes, ModelCost Cost);

/// <summary>Puts challenger and champion beside each other, query by query, on the current test split and on the frozen one.</summary>
internal static class Comparing
{
    // Per query there are only rankings; clusters are a thing of the whole.
    private static readonly EvaluationOptions Rankings = new() { Metrics = [.. Metric.Default.Where(metric => !metric.NeedsClusters)], Baselines = false };

    /// <param name="challenger">The trained model.</param>
    /// <param name="champion">The champion on the same images; null when there is none.</param>
    /// <param name="championVersion">Its version.</param>
    /// <param name="dataset">The dataset version whose test split judged them.</param>
    /// <param name="first">The dataset's first version; null when this is the first.</param>
    /// <param name="cancel">Ends the scoring.</param>
    public static ModelComparison Of(JudgedModel challenger, JudgedModel? champion, int? championVersion, DatasetReader dataset, DatasetReader? first, CancellationToken cancel)
    {
        var splits = new List<ComparedSplit>
        {
            Split(SplitKinds.Current, dataset.Manifest.Version, challenger.Classes, challenger.Labels, challenger.Outcome.Scores, champion?.Outcome.Scores),
        };
        if (first is not null && FrozenImages(dataset, first) is { Length: > 0 } frozen && Score(challenger, dataset, frozen, cancel) is { } mine)
        {
            var labels = frozen.Select(i => challenger.Labels[i]).ToArray();
            splits.Add(Split(SplitKinds.Frozen, first.Manifest.Version, challenger.Classes, labels, mine, champion is null ? null : Score(champion, dataset, frozen, cancel)));
        }
        return new ModelComparison { Champion = championVersion, Splits = splits, ChallengerCost = challenger.Cost, ChampionCost = champion?.Cost, Checks = Checks(challenger.Outcome) };
    }

    /// <summary>Places, in the test split, of images that were in the first version's test split under the same class.</summary>
    private static int[] FrozenImages(DatasetReader dataset, DatasetReader first)
    {
        var frozen = first.IndexesOf(SplitNames.Test).Select(i => (first.Samples[i].Sha256, first.Samples[i].Class)).ToHashSet();
        var test = dataset.IndexesOf(SplitNames.Test);
        return [.. Enumerable.Range(0, test.Length).Where(i => frozen.Contains((dataset.Samples[test[i]].Sha256, dataset.Samples[test[i]].Class)))];
    }

    /// <summary>An embedding depends on its image alone, so those of the current split serve; only whom a query looks through is another.</summary>
    private static QueryScores? Score(JudgedModel judged, DatasetReader dataset, int[] images, CancellationToken cancel)
    {
        var size = judged.Outcome.Report.EmbeddingSize;
        var embeddings = new float[images.Length * size];
        for (var i = 0; i < images.Length; i++) judged.Outcome.Embeddings.AsSpan(images[i] * size, size).CopyTo(embeddings.AsSpan(i * size));
        var test = dataset.IndexesOf(SplitNames.Test);
        try
        {
            var options = Rankings with { Protocol = SampleProtocol.Of(images.Select(i => dataset.Samples[test[i]])) };
            return RetrievalMetrics.Compute(embeddings, size, [.. images.Select(i => judged.Labels[i])], options, cancel).PerQuery;
        }
        catch (InvalidDataException)
        {
            // A first version of one image per class had nothing to find; then there is no frozen split to compare on.
            return null;
        }
    }

    private static ComparedSplit Split(string kind, int version, IReadOnlyList<string> classes, int[] labels, QueryScores challenger, QueryScores? champion)
    {
        var judged = Enumerable.Range(0, labels.Length).Where(i => challenger.FirstHit[i] >= 0).ToArray();
        return new ComparedSplit(kind, version, classes, [.. judged.Select(i => labels[i])], Values(challenger), champion is null ? null : Values(champion));

        // Seven digits are more than a ranking knows, and half the length of all of them.
        Dictionary<string, IReadOnlyList<double>> Values(QueryScores scores) => scores.Values.ToDictionary(
            metric => metric.Key, IReadOnlyList<double> (metric) => [.. judged.Select(i => Math.Round(metric.Value[i], 7))], StringComparer.Ordinal);
    }

    private static List<NamedCheck> Checks(EvaluationOutcome outcome)
    {
        var checks = new List<NamedCheck>();
        foreach (var (baseline, metrics) in outcome.Report.Baselines)
        {
            const string metric = "map@r";
            if (!metrics.TryGetValue(metric, out var bar) || !outcome.Report.Metrics.TryGetValue(metric, out var reached)) continue;
            checks.Add(new NamedCheck($"beats-{baseline}", reached > bar, FormattableString.Invariant($"{metric} {reached:0.0000}, {baseline} {bar:0.0000}")));
        }
        var size = outcome.Report.EmbeddingSize;
        var farthest = Enumerable.Range(0, outcome.Embeddings.Length / size).Max(i => Math.Abs(Length(outcome.Embeddings.AsSpan(i * size, size)) - 1));
        checks.Add(new NamedCheck("unit-length", farthest < 1e-3, FormattableString.Invariant($"the length of an embedding is at most {farthest:0.0e0} from 1")));
        return checks;
    }

    private static double Length(ReadOnlySpan<float> vector)
    {
        double sum = 0;
        foreach (var value in vector) sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}
