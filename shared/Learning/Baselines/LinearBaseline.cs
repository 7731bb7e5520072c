using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>The linear methods; README.md beside this file defines each.</summary>
public enum LinearMethod
{
    Lda,
    Kissme,
    Ldml,
}

/// <summary>How linear baselines are fitted.</summary>
public sealed record LinearSettings
{
    /// <summary>Discriminants of LDA, principal components that KISSME and LDML work on; fewer where there are fewer.</summary>
    public int Dimensions { get; init; } = 64;

    /// <summary>Principal components before LDA: a bound on time, and on what little variance S_w is inverted in.</summary>
    public int MostFeatures { get; init; } = 256;

    /// <summary>Of the covariances that are inverted, towards their mean variance: what tells some classes apart has to tell others apart.</summary>
    public double Shrinkage { get; init; } = 0.1;

    /// <summary>How LDML draws its pairs and ascends.</summary>
    public LdmlSettings Ldml { get; init; } = new();
}

/// <summary>A method with the principal components that go before it.</summary>
public static class LinearBaseline
{
    /// <summary>By the names that a command line uses: "lda", "kissme", "ldml".</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<LinearMethod>().Select(name => name.ToLowerInvariant())];

    /// <exception cref="ArgumentException">There is no such method; the message lists those there are.</exception>
    public static LinearMethod Parse(string name) =>
        Names.Contains(name, StringComparer.Ordinal) ? Enum.Parse<LinearMethod>(name, ignoreCase: true) : throw new ArgumentException($"There is no linear method '{name}'; there are {string.Join(", ", Names)}.");

    /// <summary>
    /// Fits the method to the features' principal components: whitened for KISSME and LDML; only rotated for LDA, whose shrinkage should leave directions
    /// of little variance behind.
    /// </summary>
    /// <exception cref="InvalidDataException">The features or classes cannot be learnt from; the message says why.</exception>
    public static LinearMetric Fit(LinearMethod method, LabelledVectors vectors, LinearSettings settings, CancellationToken cancel)
    {
        var isLda = method == LinearMethod.Lda;
        var components = isLda ? Math.Max(settings.MostFeatures, settings.Dimensions) : settings.Dimensions;
        var first = PrincipalComponents.Fit(vectors, components, whiten: !isLda, cancel);
        var features = vectors with { Values = first.Project(vectors.Values, cancel), Dimension = first.Dimension };
        var metric = method switch
        {
            LinearMethod.Lda => LinearDiscriminant.Fit(features, settings.Dimensions, settings.Shrinkage, cancel),
            LinearMethod.Kissme => Kissme.Fit(features, settings.Shrinkage, cancel),
            _ => Ldml.Fit(features, settings.Ldml, cancel).Metric,
        };
        // Principal components have zero mean, and so the two maps are one: L (U (x − μ)).
        return first.Then(metric.Name, metric.Matrix, metric.UnitLength);
    }
}
