namespace DmlPipeline.Learning.Baselines;

/// <summary>
/// A linear map of fixed features, y = L (x − μ); the squared Euclidean distance of its results is the Mahalanobis distance (x − x')ᵀ M (x − x') with
/// M = LᵀL.
/// </summary>
/// <param name="Name">Of the method: "lda", "kissme", "ldml", "pca".</param>
/// <param name="Mean">μ, [D].</param>
/// <param name="Projection">L, [d, D] row-major.</param>
/// <param name="UnitLength">Whether results are normalised, and so compared by their angle; otherwise by their distance.</param>
public sealed record LinearMetric(string Name, double[] Mean, double[] Projection, bool UnitLength)
{
    private const int RowsAtOnce = 4096;

    /// <summary>D, features that go in.</summary>
    public int InputDimension => Mean.Length;

    /// <summary>d, numbers that come out.</summary>
    public int Dimension => Projection.Length / Mean.Length;

    /// <summary>Maps rows [N, D] to [N, d], computed in double precision; a row that maps to zero stays zero.</summary>
    public float[] Project(float[] vectors, CancellationToken cancel)
    {
        if (vectors.Length % InputDimension != 0)
            throw new ArgumentException($"{vectors.Length} values are no whole number of rows of {InputDimension}, which this {Name} was fitted on.");
        var (count, projection) = (vectors.Length / InputDimension, Matrix);
        var projected = new float[checked(count * Dimension)];
        for (var first = 0; first < count; first += RowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = DenseMatrix.Zero(Math.Min(RowsAtOnce, count - first), InputDimension);
            for (var i = 0; i < rows.Values.Length; i++) rows.Values[i] = vectors[(first * InputDimension) + i] - Mean[i % InputDimension];
            var results = rows.TimesTransposed(projection);
            for (var i = 0; i < results.Rows; i++) Write(results.Row(i), projected.AsSpan((first + i) * Dimension, Dimension));
        }
        return projected;
    }

    /// <summary>This map and then <paramref name="next"/>, a matrix on what it gives.</summary>
    internal LinearMetric Then(string name, DenseMatrix next, bool unitLength) => new(name, Mean, next.Times(Matrix).Values, unitLength);

    internal DenseMatrix Matrix => new(Dimension, InputDimension, Projection);

    private void Write(ReadOnlySpan<double> from, Span<float> to)
    {
        var scale = 1.0;
        if (UnitLength)
        {
            double squares = 0;
            foreach (var value in from) squares += value * value;
            scale = squares > 0 ? 1 / Math.Sqrt(squares) : 0;
        }
        for (var d = 0; d < from.Length; d++) to[d] = (float)(from[d] * scale);
    }
}
