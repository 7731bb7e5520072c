namespace DmlPipeline.Learning.Evaluation;

/// <summary>Agreement of clusters with classes by counting: images for purity, pairs of images for F1.</summary>
public static class ClusterAgreement
{
    /// <summary>The share of images that belong to the largest class of their cluster; grows with the number of clusters.</summary>
    public static double Purity(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters) => Purity(ContingencyTable.Of(classes, clusters));

    /// <summary>
    /// The harmonic mean of precision (the share of pairs in one cluster that are of one class) and recall (the share of pairs of one class that are
    /// in one cluster); 1 when neither grouping joins any pair, 0 when only one of them does.
    /// </summary>
    public static double PairwiseF1(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters) => PairwiseF1(ContingencyTable.Of(classes, clusters));

    internal static double Purity(ContingencyTable table) =>
        (double)table.Cells.GroupBy(cell => cell.Key.Column, cell => cell.Value).Sum(cluster => cluster.Max()) / table.Count;

    internal static double PairwiseF1(ContingencyTable table)
    {
        var (both, ofClass, ofCluster) = (Pairs(table.Cells.Values), Pairs(table.Rows.Values), Pairs(table.Columns.Values));
        // 2PR / (P + R) with P = both / ofCluster and R = both / ofClass.
        return ofClass + ofCluster == 0 ? 1 : 2 * both / (ofClass + ofCluster);
    }

    private static double Pairs(IEnumerable<int> sizes) => sizes.Sum(size => size * (size - 1.0) / 2);
}
