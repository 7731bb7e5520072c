namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Replaces vectors by weighted means of themselves and their nearest gallery vectors: v' = normalise(v + sum over the n nearest of max(0, s_i)^alpha g_i),
/// s_i the similarity. Applied to queries it is query expansion: AQE for alpha 0 (Chum et al. 2007), αQE above (Radenović et al. 2018); applied to the
/// gallery it is database augmentation, DBA (Arandjelović and Zisserman 2012). No label is looked at.
/// </summary>
public sealed record NeighbourAveraging
{
    /// <summary>n; fewer where the gallery is smaller.</summary>
    public int Neighbours { get; init; } = 3;

    /// <summary>How much nearer neighbours count for more; 0 weighs all alike.</summary>
    public double Alpha { get; init; }

    /// <param name="vectors">[V, D], row-major.</param>
    /// <param name="gallery">[G, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="placeOf">The place in the gallery of vector i's own image, which is no neighbour of its own, or -1.</param>
    /// <param name="tileBytes">Memory for one tile of similarities.</param>
    /// <param name="cancel">Stops between tiles.</param>
    internal float[] Apply(float[] vectors, float[] gallery, int dimension, Func<int, int> placeOf, long tileBytes, CancellationToken cancel)
    {
        if (Neighbours < 1 || !(Alpha >= 0)) throw new ArgumentException($"Averaging needs at least one neighbour, not {Neighbours}, and an alpha of at least 0, not {Alpha}.");
        var averaged = (float[])vectors.Clone();
        // One more than wanted: the image itself may be among them.
        var k = Math.Min(Neighbours + 1, gallery.Length / dimension);
        NearestNeighbours.Visit(vectors, gallery, dimension, k, excludeSelf: false, tileBytes, (row, similarity, index) =>
        {
            var sum = new double[dimension];
            for (var d = 0; d < dimension; d++) sum[d] = vectors[(row * dimension) + d];
            var (own, taken) = (placeOf(row), 0);
            for (var i = 0; i < index.Length && taken < Neighbours; i++)
            {
                if (index[i] == own) continue;
                taken++;
                var weight = Alpha == 0 ? 1 : Math.Pow(Math.Max(0, similarity[i]), Alpha);
                for (var d = 0; d < dimension; d++) sum[d] += weight * gallery[(index[i] * dimension) + d];
            }
            var norm = Math.Sqrt(sum.Sum(value => value * value));
            // Opposite vectors may cancel out: the image then stays where it was.
            if (norm < 1e-12) return;
            for (var d = 0; d < dimension; d++) averaged[(row * dimension) + d] = (float)(sum[d] / norm);
        }, cancel);
        return averaged;
    }
}
