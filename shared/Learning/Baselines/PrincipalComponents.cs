using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>
/// PCA: y = U (x − μ), U the eigenvectors with the largest eigenvalues Λ of the covariance (1/N) Σ (x_i − μ)(x_i − μ)ᵀ; whitened, y = Λ^-½ U (x − μ).
/// Directions without variance are dropped.
/// </summary>
public static class PrincipalComponents
{
    // Smaller eigenvalues, relative to the largest, are rounding of features in fp32.
    private const double LeastVariance = 1e-10;

    /// <param name="vectors">The features.</param>
    /// <param name="components">How many to keep; fewer where there are fewer.</param>
    /// <param name="whiten">Whether every component gets the variance 1; else the map is a rotation.</param>
    /// <param name="cancel">Stops between blocks of rows.</param>
    /// <exception cref="InvalidDataException">All images have the same features, or labels or features cannot be used.</exception>
    public static LinearMetric Fit(LabelledVectors vectors, int components, bool whiten, CancellationToken cancel)
    {
        if (components < 1) throw new ArgumentOutOfRangeException(nameof(components), components, "Keep at least one component.");
        var scatter = Scatter.Of(vectors);
        // The sum of both is the scatter about the common mean.
        var total = scatter.Within(cancel);
        total.Add(scatter.Between());
        var (variances, directions) = total.Scaled(1.0 / vectors.Count).Eigen();
        var kept = variances.Take(components).TakeWhile(variance => variance > LeastVariance * variances[0] && variance > 0).Count();
        if (kept == 0) throw new InvalidDataException("All images have the same features: there is nothing to learn from them.");
        double[] scales = [.. variances.Take(kept).Select(variance => whiten ? 1 / Math.Sqrt(variance) : 1)];
        return new LinearMetric("pca", scatter.Mean, directions.Top(kept).ScaledRows(scales).Values, UnitLength: false);
    }
}
