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

    /// <summary>Principal components before LDA.</summary>
    public int MostFeatures { get; init; } = 512;

    /// <summary>Of the covariances that are inverted, towards their mean variance.</summary>
    public double Shrinkage { get; init; } = 0.01;

    /// <summary>Of LDML's pairs.</summary>
    public long Seed { get; init; }
}

/// <summary>A method with the whitening that goes before it.</summary>
public static class LinearBaseline
{
    /// <summary>By the names that a command line uses: "lda", "kissme", "ldml".</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<LinearMethod>().Select(name => name.ToLowerInvariant())];

    /// <exception cref="ArgumentException">There is no such method; the message lists those there are.</exception>
    public static LinearMethod Parse(string name) =>
        Names.Contains(name, StringComparer.Ordinal) ? Enum.Parse<LinearMethod>(name, ignoreCase: true) : throw new ArgumentException($"There is no linear method '{name}'; there are {string.Join(", ", Names)}.");

    /// <summary>Whitens the features by their principal components and fits the method to what is left.</summary>
    /// <exception cref="InvalidDataException">The features or classes cannot be learnt from; the message says why.</exception>
    public static LinearMetric Fit(LinearMethod method, LabelledVectors vectors, LinearSettings settings, CancellationToken cancel)
    {
        var components = method == LinearMethod.Lda ? Math.Max(settings.MostFeatures, settings.Dimensions) : settings.Dimensions;
        var whitening = PrincipalComponents.Fit(vectors, components, cancel);
        var white = vectors with { Values = whitening.Project(vectors.Values, cancel), Dimension = whitening.Dimension };
        var metric = method switch
        {
            LinearMethod.Lda => LinearDiscriminant.Fit(white, settings.Dimensions, settings.Shrinkage, cancel),
            LinearMethod.Kissme => Kissme.Fit(white, settings.Shrinkage, cancel),
            _ => Ldml.Fit(white, new LdmlSettings { Seed = settings.Seed }, cancel).Metric,
        };
        // Whitened features have zero mean, and so the two maps are one: L (W (x − μ)).
        return whitening.Then(metric.Name, metric.Matrix, metric.UnitLength);
    }
}
