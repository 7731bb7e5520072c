using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>How LDML is fitted.</summary>
public sealed record LdmlSettings
{
    /// <summary>Pairs of one class drawn, and as many of two. L has thousands of entries: with a fifth as many it learns the pairs by heart.</summary>
    public int Pairs { get; init; } = 50_000;

    /// <summary>Steps at most.</summary>
    public int Iterations { get; init; } = 100;

    /// <summary>Ends where no entry of the gradient of the mean log-likelihood is larger.</summary>
    public double Tolerance { get; init; } = 1e-5;

    /// <summary>Of the draw of pairs.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// LDML, logistic discriminant metric learning (Guillaumin, Verbeek and Schmid 2009): two images are of one class with probability
/// p = σ(b − d_M(x, x')), d_M(x, x') = |L (x − x')|², and L and b maximise the likelihood of labelled pairs (<see cref="LdmlObjective"/>). The likelihood
/// is concave in M but not in L; the ascent begins at a multiple of the identity and is the same each time.
/// </summary>
public static class Ldml
{
    /// <param name="vectors">The features, better whitened and few (<see cref="PrincipalComponents"/>): L has their number squared entries.</param>
    /// <param name="settings">Pairs and steps.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <returns>L, and b in units of the squared distance.</returns>
    /// <exception cref="InvalidDataException">There are too few classes or images.</exception>
    public static (LinearMetric Metric, double Bias) Fit(LabelledVectors vectors, LdmlSettings settings, CancellationToken cancel)
    {
        if (settings.Pairs < 1 || settings.Iterations < 1) throw new ArgumentException($"LDML needs at least one pair and one step, not {settings.Pairs} and {settings.Iterations}.");
        vectors.Check();
        var dimension = vectors.Dimension;
        var drawn = PairDraw.Draw(vectors.Labels, settings.Pairs, settings.Seed);
        var differences = DenseMatrix.Zero(drawn.Length, dimension);
        for (var pair = 0; pair < drawn.Length; pair++)
        {
            var (row, first, second) = (pair * dimension, drawn[pair].First * dimension, drawn[pair].Second * dimension);
            for (var d = 0; d < dimension; d++) differences.Values[row + d] = (double)vectors.Values[first + d] - vectors.Values[second + d];
        }

        var objective = new LdmlObjective(differences, settings.Pairs);
        var found = Lbfgs.Minimise(objective.At, Start(differences), settings.Iterations, settings.Tolerance, cancel);
        return (new LinearMetric("ldml", Mean(vectors), found[..^1], UnitLength: false), found[^1]);
    }

    /// <summary>A multiple of the identity by which the mean squared distance is 1, and b there: neither class of pairs is favoured, nothing is saturated.</summary>
    private static double[] Start(DenseMatrix differences)
    {
        var (size, squares) = (differences.Columns, differences.Values.Sum(value => value * value) / differences.Rows);
        var start = new double[(size * size) + 1];
        for (var d = 0; d < size; d++) start[d * (size + 1)] = squares > 0 ? 1 / Math.Sqrt(squares) : 1;
        start[^1] = 1;
        return start;
    }

    private static double[] Mean(LabelledVectors vectors)
    {
        var mean = new double[vectors.Dimension];
        for (var i = 0; i < vectors.Values.Length; i++) mean[i % vectors.Dimension] += vectors.Values[i] / (double)vectors.Count;
        return mean;
    }
}
