using DmlPipeline.Learning.Baselines;

namespace DmlPipeline.Learning.Evaluation.Drift;

/// <summary>
/// Dowson and Landau (1982), as in the Fréchet inception distance (Heusel et al., NeurIPS 2017):
/// d² = |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of the means and covariances of old and new embeddings, in the directions in which all of them vary most.
/// </summary>
internal sealed class FrechetDistance
{
    // A covariance of few images in all directions would be noise.
    private const int MostDirections = 16, ImagesPerDirection = 4;

    private readonly DenseMatrix projected; // [N, k]

    public FrechetDistance(float[] embeddings, int dimension, int fewest)
    {
        var all = new DenseMatrix(embeddings.Length / dimension, dimension, [.. embeddings.Select(value => (double)value)]);
        var (mean, covariance) = Moments(all, _ => true);
        for (var row = 0; row < all.Rows; row++)
            for (var column = 0; column < dimension; column++) all.Row(row)[column] -= mean[column];
        var directions = Math.Clamp(fewest / ImagesPerDirection, 1, Math.Min(MostDirections, dimension));
        projected = all.TimesTransposed(covariance.Eigen().Vectors.Top(directions));
    }

    public double Between(bool[] isNew)
    {
        var (mean1, covariance1) = Moments(projected, row => !isNew[row]);
        var (mean2, covariance2) = Moments(projected, row => isNew[row]);
        return Between(mean1, covariance1, mean2, covariance2);
    }

    /// <summary>tr (Σ₁ Σ₂)^½ is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.</summary>
    internal static double Between(double[] mean1, DenseMatrix covariance1, double[] mean2, DenseMatrix covariance2)
    {
        var (values, vectors) = covariance1.Eigen();
        var root = vectors.TransposedTimes(vectors.ScaledRows([.. values.Select(value => Math.Sqrt(Math.Max(0, value)))]));
        var product = root.Times(covariance2).Times(root);
        var apart = mean1.Zip(mean2, (a, b) => (a - b) * (a - b)).Sum();
        return Math.Max(0, apart + covariance1.Trace + covariance2.Trace - (2 * product.Eigen().Values.Sum(value => Math.Sqrt(Math.Max(0, value)))));
    }

    /// <summary>Mean and covariance of some rows.</summary>
    internal static (double[] Mean, DenseMatrix Covariance) Moments(DenseMatrix rows, Func<int, bool> counts)
    {
        var d = rows.Columns;
        var mean = new double[d];
        var n = 0;
        for (var row = 0; row < rows.Rows; row++)
        {
            if (!counts(row)) continue;
            n++;
            for (var i = 0; i < d; i++) mean[i] += rows.Row(row)[i];
        }
        for (var i = 0; i < d; i++) mean[i] /= Math.Max(1, n);
        var covariance = DenseMatrix.Zero(d, d);
        for (var row = 0; row < rows.Rows; row++)
        {
            if (!counts(row)) continue;
            var values = rows.Row(row);
            for (var i = 0; i < d; i++)
                for (var j = 0; j < d; j++) covariance.Values[(i * d) + j] += (values[i] - mean[i]) * (values[j] - mean[j]) / Math.Max(1, n - 1);
        }
        return (mean, covariance);
    }
}
