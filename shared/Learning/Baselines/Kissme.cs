using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>
/// KISSME, "keep it simple and straightforward metric learning" (Köstinger, Hirzer, Wohlhart, Roth and Bischof 2012, eq. 15–16): the log-ratio of two
/// Gaussians over differences of features, of pairs of one class and of pairs of two, is a quadratic form with
/// <code>
///   M = Σ_S⁻¹ − Σ_D⁻¹,   Σ_S, Σ_D = the mean of (x_i − x_j)(x_i − x_j)ᵀ over pairs of one class, of two classes
/// </code>
/// projected to the positive semidefinite cone by leaving out its negative eigenvalues. All pairs are taken, not some at random: their sums are the
/// scatter matrices' (Σ_{i&lt;j in c} = n_c S_c, all pairs together N S_t), so it costs one pass over the images.
/// </summary>
public static class Kissme
{
    private const double LeastVariance = 1e-9;

    /// <param name="vectors">The features, better whitened and few (<see cref="PrincipalComponents"/>): both covariances are inverted.</param>
    /// <param name="shrinkage">Of both covariances towards their mean variance, 0 … 1.</param>
    /// <param name="cancel">Stops between blocks of rows.</param>
    /// <exception cref="InvalidDataException">There are too few classes or images, or images of a class lie no nearer to each other than others do.</exception>
    public static LinearMetric Fit(LabelledVectors vectors, double shrinkage, CancellationToken cancel)
    {
        if (shrinkage is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(shrinkage), shrinkage, "Shrinkage goes from 0 to 1.");
        var scatter = Scatter.Of(vectors);
        double all = 0.5 * vectors.Count * (vectors.Count - 1.0), same = scatter.Sizes.Sum(size => 0.5 * size * (size - 1.0));
        DenseMatrix ofOne = scatter.OverPairs(cancel), total = scatter.Within(cancel);
        total.Add(scatter.Between());
        var similar = ofOne.Scaled(1 / same).Shrunk(shrinkage);
        var dissimilar = total.Scaled(vectors.Count).Minus(ofOne).Scaled(1 / (all - same)).Shrunk(shrinkage);
        var least = LeastVariance * dissimilar.Trace / vectors.Dimension;
        if (least <= 0) throw new InvalidDataException("All images have the same features: there is nothing to learn from them.");

        var (weights, axes) = Inverse(similar, least).Minus(Inverse(dissimilar, least)).Eigen();
        var kept = weights.TakeWhile(weight => weight > 0).Count();
        if (kept == 0)
            throw new InvalidDataException("In no direction do images of a class lie nearer to each other than to others: there is nothing for KISSME to learn.");
        return new LinearMetric("kissme", scatter.Mean, axes.Top(kept).ScaledRows([.. weights.Take(kept).Select(Math.Sqrt)]).Values, UnitLength: false);
    }

    private static DenseMatrix Inverse(DenseMatrix covariance, double least)
    {
        var (variances, axes) = covariance.Eigen();
        return axes.TransposedTimes(axes.ScaledRows([.. variances.Select(variance => 1 / Math.Max(variance, least))]));
    }
}
