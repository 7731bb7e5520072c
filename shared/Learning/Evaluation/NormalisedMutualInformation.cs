namespace DmlPipeline.Learning.Evaluation;

/// <summary>How well clusters agree with classes: NMI = I(U; V) / ((H(U) + H(V)) / 2), scikit-learn's default (arithmetic) normalisation.</summary>
public static class NormalisedMutualInformation
{
    /// <summary>In 0 … 1; 1 when both partitions are a single group.</summary>
    public static double Compute(ReadOnlySpan<int> classes, ReadOnlySpan<int> clusters) => Of(ContingencyTable.Of(classes, clusters));

    internal static double Of(ContingencyTable table)
    {
        if (table.Rows.Count == 1 && table.Columns.Count == 1) return 1;
        var information = table.MutualInformation;
        // Independent partitions have none, up to rounding.
        if (information <= double.Epsilon * table.Count) return 0;
        return Math.Clamp(information / ((table.RowEntropy + table.ColumnEntropy) / 2), 0, 1);
    }
}
