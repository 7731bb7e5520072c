namespace DmlPipeline.Learning.Evaluation;

/// <summary>How two groupings of the same images overlap: n(u, v) images lie in group u of one and in group v of the other.</summary>
internal sealed class ContingencyTable
{
    private ContingencyTable(int count, Dictionary<(int, int), int> cells, Dictionary<int, int> rows, Dictionary<int, int> columns) =>
        (Count, Cells, Rows, Columns) = (count, cells, rows, columns);

    public int Count { get; }

    /// <summary>n(u, v) where it is not zero.</summary>
    public Dictionary<(int Row, int Column), int> Cells { get; }

    /// <summary>Sizes of the groups of the first labelling.</summary>
    public Dictionary<int, int> Rows { get; }

    /// <summary>Sizes of the groups of the second.</summary>
    public Dictionary<int, int> Columns { get; }

    /// <summary>Both are a single group, or the groups are the same under other names.</summary>
    public bool IsSamePartition => Cells.Count == Rows.Count && Cells.Count == Columns.Count;

    /// <summary>I(U; V) in nats; zero, up to rounding, for independent groupings.</summary>
    public double MutualInformation
    {
        get
        {
            double n = Count, information = 0;
            foreach (var ((row, column), count) in Cells)
                information += count / n * Math.Log(count * n / ((double)Rows[row] * Columns[column]));
            return information;
        }
    }

    public double RowEntropy => Entropy(Rows.Values, Count);

    public double ColumnEntropy => Entropy(Columns.Values, Count);

    public static ContingencyTable Of(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters)
    {
        if (classes.Length != clusters.Length || classes.Length == 0)
            throw new ArgumentException($"Classes and clusters label the same images, at least one; these are {classes.Length} and {clusters.Length} long.");
        var cells = new Dictionary<(int, int), int>();
        var rows = new Dictionary<int, int>();
        var columns = new Dictionary<int, int>();
        for (var i = 0; i < classes.Length; i++)
        {
            cells[(classes[i], clusters[i])] = cells.GetValueOrDefault((classes[i], clusters[i])) + 1;
            rows[classes[i]] = rows.GetValueOrDefault(classes[i]) + 1;
            columns[clusters[i]] = columns.GetValueOrDefault(clusters[i]) + 1;
        }
        return new ContingencyTable(classes.Length, cells, rows, columns);
    }

    private static double Entropy(IEnumerable<int> counts, double n) => -counts.Sum(count => count / n * Math.Log(count / n));
}
