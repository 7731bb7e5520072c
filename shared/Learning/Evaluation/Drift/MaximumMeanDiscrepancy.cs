namespace DmlPipeline.Learning.Evaluation.Drift;

/// <summary>
/// Gretton et al., "A kernel two-sample test", JMLR 13 (2012), the unbiased estimate (equation 3):
/// MMD² = mean of k(x, x') over pairs of X + mean of k(y, y') over pairs of Y − 2 · mean of k(x, y),
/// with k(a, b) = exp(−|a − b|² / (2 σ²)) and σ the median distance of all pairs. Zero on average for samples of one distribution; it may be negative.
/// </summary>
internal sealed class MaximumMeanDiscrepancy
{
    private readonly int count;
    private readonly double[] kernel; // [N, N]
    private readonly double total;

    /// <param name="products">Inner products of unit vectors, [N, N].</param>
    /// <param name="count">N.</param>
    public MaximumMeanDiscrepancy(float[] products, int count)
    {
        this.count = count;
        var squares = new double[products.Length];
        for (var i = 0; i < squares.Length; i++) squares[i] = Math.Max(0, 2 - (2.0 * products[i])); // |a − b|² of unit vectors
        var pairs = new double[count * (count - 1) / 2];
        for (int i = 0, at = 0; i < count; i++)
            for (var j = i + 1; j < count; j++) pairs[at++] = squares[(i * count) + j];
        Array.Sort(pairs);
        var width = 2 * Math.Max(1e-12, pairs[pairs.Length / 2]);
        kernel = [.. squares.Select(square => Math.Exp(-square / width))];
        total = kernel.Sum();
    }

    public double Between(bool[] isNew)
    {
        double within = 0, across = 0;
        var m = isNew.Count(side => side);
        var n = count - m;
        if (m < 2 || n < 2) return 0;
        for (var i = 0; i < count; i++)
        {
            var row = kernel.AsSpan(i * count, count);
            double sum = 0;
            for (var j = 0; j < row.Length; j++)
                if (isNew[j]) sum += row[j];
            if (isNew[i]) within += sum;
            else across += sum;
        }
        // k(x, x) = 1 of each image with itself is no pair.
        var newPairs = within - m;
        var oldPairs = total - within - (2 * across) - n;
        return (newPairs / ((double)m * (m - 1))) + (oldPairs / ((double)n * (n - 1))) - (2 * across / ((double)m * n));
    }
}
