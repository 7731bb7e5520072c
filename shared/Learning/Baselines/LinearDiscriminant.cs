using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>
/// Linear discriminant analysis (Fisher 1936; Rao 1948), regularised (Friedman 1989). The rows of L solve S_b v = λ S_w v for the largest λ, scaled so
/// that L S_w Lᵀ = I:
/// <code>
///   S_w = (1/N) Σ_c Σ_{i in c} (x_i − μ_c)(x_i − μ_c)ᵀ,   S_b = (1/N) Σ_c n_c (μ_c − μ)(μ_c − μ)ᵀ
///   S_w ← (1 − s) S_w + s tr(S_w)/D I
/// </code>
/// It is found by two symmetric problems: with S_w = U Λ Uᵀ and W = Λ^-½ Uᵀ, the eigenvectors V of W S_b Wᵀ give L = V W.
/// </summary>
public static class LinearDiscriminant
{
    // Of the mean variance: where the classes have no extent at all, S_w is zero however it is shrunk.
    private const double LeastVariance = 1e-9;

    /// <param name="vectors">The features; results are compared by their angle.</param>
    /// <param name="dimensions">Discriminants to keep; fewer where features or classes − 1 are fewer, for S_b has no higher rank.</param>
    /// <param name="shrinkage">s, 0 … 1.</param>
    /// <param name="cancel">Stops between blocks of rows.</param>
    /// <exception cref="InvalidDataException">There are too few classes or images, or all images have the same features.</exception>
    public static LinearMetric Fit(LabelledVectors vectors, int dimensions, double shrinkage, CancellationToken cancel)
    {
        if (dimensions < 1) throw new ArgumentOutOfRangeException(nameof(dimensions), dimensions, "Keep at least one dimension.");
        if (shrinkage is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(shrinkage), shrinkage, "Shrinkage goes from 0 to 1.");
        var scatter = Scatter.Of(vectors);
        DenseMatrix within = scatter.Within(cancel).Scaled(1.0 / vectors.Count), between = scatter.Between().Scaled(1.0 / vectors.Count);
        var mean = (within.Trace + between.Trace) / vectors.Dimension;
        if (mean <= 0) throw new InvalidDataException("All images have the same features: there is nothing to learn from them.");

        var (variances, axes) = within.Shrunk(shrinkage).Eigen();
        double[] scales = [.. variances.Select(variance => 1 / Math.Sqrt(Math.Max(variance, LeastVariance * mean)))];
        var whitening = axes.ScaledRows(scales);
        var kept = Math.Min(dimensions, Math.Min(vectors.Dimension, scatter.Sizes.Length - 1));
        var discriminants = whitening.Times(between).TimesTransposed(whitening).Eigen().Vectors.Top(kept).Times(whitening);
        return new LinearMetric("lda", scatter.Mean, discriminants.Values, UnitLength: true);
    }
}
