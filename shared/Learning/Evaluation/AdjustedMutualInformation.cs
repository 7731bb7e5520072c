namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Mutual information corrected for chance (Vinh, Epps and Bailey 2010): AMI = (I - E) / ((H(U) + H(V)) / 2 - E), where E is what random groupings
/// with the same sizes would share. About 0 for clusters found by chance, whereas NMI grows with their number.
/// </summary>
public static class AdjustedMutualInformation
{
    /// <summary>At most 1; below 0 for clusters that agree less than chance. 1 when both partitions are the same.</summary>
    public static double Compute(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters) => Of(ContingencyTable.Of(classes, clusters));

    internal static double Of(ContingencyTable table)
    {
        if (table.IsSamePartition) return 1;
        var expected = Expected(table);
        var above = ((table.RowEntropy + table.ColumnEntropy) / 2) - expected;
        // Where even chance would agree fully there is nothing to be above: keep the sign, avoid 0/0.
        above = above < 0 ? Math.Min(above, -double.Epsilon) : Math.Max(above, 2.220446e-16);
        return (table.MutualInformation - expected) / above;
    }

    /// <summary>
    /// E = sum over groups of sizes a, b and over n of (n/N) log(N n / (a b)) times the chance of an overlap of n, which is hypergeometric. It depends
    /// on sizes alone, so equal sizes are done once: eleven thousand classes of a dozen sizes take no time.
    /// </summary>
    private static double Expected(ContingencyTable table)
    {
        var logFactorial = LogFactorials(table.Count);
        var rows = table.Rows.Values.CountBy(size => size).ToList();
        var columns = table.Columns.Values.CountBy(size => size).ToList();
        double sum = 0;
        foreach (var (a, manyA) in rows)
        {
            foreach (var (b, manyB) in columns) sum += (double)manyA * manyB * Expected(a, b, table.Count, logFactorial);
        }
        return sum;
    }

    private static double Expected(int a, int b, int total, double[] logFactorial)
    {
        var sizes = logFactorial[a] + logFactorial[b] + logFactorial[total - a] + logFactorial[total - b] - logFactorial[total];
        double sum = 0;
        for (var n = Math.Max(1, a + b - total); n <= Math.Min(a, b); n++)
        {
            var chance = Math.Exp(sizes - logFactorial[n] - logFactorial[a - n] - logFactorial[b - n] - logFactorial[total - a - b + n]);
            sum += (double)n / total * Math.Log((double)total * n / ((double)a * b)) * chance;
        }
        return sum;
    }

    private static double[] LogFactorials(int most)
    {
        var logs = new double[most + 1];
        for (var i = 2; i <= most; i++) logs[i] = logs[i - 1] + Math.Log(i);
        return logs;
    }
}
