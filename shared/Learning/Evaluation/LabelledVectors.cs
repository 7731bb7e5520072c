namespace DmlPipeline.Learning.Evaluation;

/// <summary>Features of images with their classes: what linear baselines and calibrations are fitted to.</summary>
/// <param name="Values">[N, D], row-major.</param>
/// <param name="Dimension">D.</param>
/// <param name="Labels">[N]; any whole numbers.</param>
public sealed record LabelledVectors(float[] Values, int Dimension, int[] Labels)
{
    public int Count => Labels.Length;

    /// <exception cref="InvalidDataException">There is no pair of two classes or none of one, or a feature is not finite.</exception>
    internal void Check()
    {
        if (Dimension < 1 || Values.Length != (long)Count * Dimension)
            throw new ArgumentException($"{Count} images of dimension {Dimension} need {(long)Count * Dimension} values, not {Values.Length}.");
        var sizes = Labels.CountBy(label => label).Select(entry => entry.Value).ToList();
        if (sizes.Count < 2) throw new InvalidDataException($"The {Count} images to fit to are of {(sizes.Count == 0 ? "no" : "one")} class: at least two are needed.");
        if (sizes.TrueForAll(size => size < 2)) throw new InvalidDataException("Each of the images to fit to has its class to itself: classes with at least two images are needed.");
        if (Values.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new InvalidDataException("A feature is not a finite number: the model that made it has diverged. Train it with a lower learning rate.");
    }
}
