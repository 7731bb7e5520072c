namespace DmlPipeline.Learning.Evaluation;

/// <summary>How well clusters agree with classes: NMI = I(U; V) / ((H(U) + H(V)) / 2), scikit-learn's default (arithmetic) normalisation.</summary>
public static class NormalisedMutualInformation
{
    /// <summary>In 0 … 1; 1 when both partitions are a single group.</summary>
    public static double Compute(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters)
    {
        if (classes.Length != clusters.Length || classes.Length == 0)
            throw new ArgumentException($"NMI compares two labellings of the same images; these are {classes.Length} and {clusters.Length} long.");

        var pairs = new Dictionary<(int, int), int>();
        var rows = new Dictionary<int, int>();
        var columns = new Dictionary<int, int>();
        for (var i = 0; i < classes.Length; i++)
        {
            pairs[(classes[i], clusters[i])] = pairs.GetValueOrDefault((classes[i], clusters[i])) + 1;
            rows[classes[i]] = rows.GetValueOrDefault(classes[i]) + 1;
            columns[clusters[i]] = columns.GetValueOrDefault(clusters[i]) + 1;
        }
        if (rows.Count == 1 && columns.Count == 1) return 1;

        double n = classes.Length, information = 0;
        foreach (var ((row, column), count) in pairs)
            information += count / n * Math.Log(count * n / ((double)rows[row] * columns[column]));
        // Independent partitions have none, up to rounding.
        if (information <= double.Epsilon * n) return 0;
        return Math.Clamp(information / ((Entropy(rows.Values, n) + Entropy(columns.Values, n)) / 2), 0, 1);
    }

    private static double Entropy(IEnumerable<int> counts, double n) => -counts.Sum(count => count / n * Math.Log(count / n));
}
