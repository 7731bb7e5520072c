namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Ranks by Euclidean distance with code that ranks by inner product: −½|q − g|² = q·g − ½|g|² − ½|q|², whose last term is the same for all that a query
/// looks through, so a query becomes (q, 1) and a gallery vector (g, −½|g|²).
/// </summary>
internal static class DistanceRanking
{
    /// <param name="queries">[Q, D], row-major.</param>
    /// <param name="gallery">[G, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <returns>[Q, D + 1], [G, D + 1] and D + 1.</returns>
    public static (float[] Queries, float[] Gallery, int Dimension) Lift(float[] queries, float[] gallery, int dimension) =>
        (Append(queries, dimension, _ => 1), Append(gallery, dimension, squares => -squares / 2), dimension + 1);

    private static float[] Append(float[] rows, int dimension, Func<double, double> last)
    {
        var lifted = new float[checked(rows.Length / dimension * (dimension + 1))];
        for (var row = 0; row < rows.Length / dimension; row++)
        {
            var vector = rows.AsSpan(row * dimension, dimension);
            double squares = 0;
            foreach (var value in vector) squares += (double)value * value;
            vector.CopyTo(lifted.AsSpan(row * (dimension + 1)));
            lifted[(row * (dimension + 1)) + dimension] = (float)last(squares);
        }
        return lifted;
    }
}
