namespace DmlPipeline.Learning.Evaluation.Drift;

/// <summary>Old and new images as a model sees them.</summary>
/// <param name="Old">How many old images were looked at.</param>
/// <param name="New">How many new ones.</param>
/// <param name="Mmd">Maximum mean discrepancy, squared: any difference of the distributions.</param>
/// <param name="Frechet">Fréchet distance, squared: differences of means and covariances.</param>
/// <param name="Recall">Null when there are too few classes.</param>
public sealed record DriftReport(int Old, int New, PermutationResult Mmd, PermutationResult Frechet, RecallDrop? Recall)
{
    /// <param name="embeddings">Of unit length, [N, D] row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="labels">Class of each image.</param>
    /// <param name="isNew">Which images are new.</param>
    /// <param name="alpha">Share of false alarms of each of the two distances.</param>
    /// <param name="cancel">Stops between exchanges.</param>
    public static DriftReport Of(float[] embeddings, int dimension, int[] labels, bool[] isNew, double alpha, CancellationToken cancel)
    {
        var fresh = isNew.Count(side => side);
        if (fresh < 2 || isNew.Length - fresh < 2) throw new ArgumentException($"Drift needs at least two old and two new images, not {isNew.Length - fresh} and {fresh}.", nameof(isNew));
        var products = Products(embeddings, dimension, labels.Length);
        var mmd = new MaximumMeanDiscrepancy(products, labels.Length);
        var frechet = new FrechetDistance(embeddings, dimension, Math.Min(fresh, isNew.Length - fresh));
        return new DriftReport(
            isNew.Length - fresh, fresh, PermutationTest.Run(mmd.Between, isNew, labels, alpha, least: 0, seed: 0, cancel), PermutationTest.Run(frechet.Between, isNew, labels, alpha, least: 0, seed: 1, cancel),
            RecallDrop.Of(products, labels, isNew));
    }

    private static float[] Products(float[] embeddings, int dimension, int count)
    {
        var products = new float[count * count];
        using var matrix = new RowMatrix(embeddings, dimension);
        matrix.WholeRows(matrix, long.MaxValue, tile => tile.Values.AsSpan(0, tile.Rows * tile.Columns).CopyTo(products.AsSpan(tile.FirstRow * count)), CancellationToken.None);
        return products;
    }
}
