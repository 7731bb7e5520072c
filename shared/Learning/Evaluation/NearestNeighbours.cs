namespace DmlPipeline.Learning.Evaluation;

/// <summary>The K nearest of every query, row-major [Q, K], the nearest first.</summary>
public sealed record Neighbours(int K, float[] Similarity, int[] Index)
{
    public int Queries => Index.Length / Math.Max(1, K);
}

/// <summary>Receives the neighbours of one query, the nearest first; called from several threads.</summary>
public delegate void NeighbourVisitor(int query, ReadOnlySpan<float> similarity, ReadOnlySpan<int> index);

/// <summary>Exact nearest neighbours by inner product (the cosine, for embeddings of unit length); equal similarities are ordered by index.</summary>
public static class NearestNeighbours
{
    /// <summary>What one tile of similarities may take unless the caller says otherwise.</summary>
    public const long DefaultTileBytes = 128L << 20;

    /// <summary>The <paramref name="k"/> nearest gallery rows of every query.</summary>
    /// <param name="queries">[Q, D], row-major.</param>
    /// <param name="gallery">[N, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="k">How many; at most N, or N-1 when a query must not find itself.</param>
    /// <param name="excludeSelf">Query i is gallery row i and does not count as its own neighbour.</param>
    /// <param name="cancel">Stops between tiles.</param>
    public static Neighbours TopK(float[] queries, float[] gallery, int dimension, int k, bool excludeSelf, CancellationToken cancel)
    {
        var similarity = new float[checked(queries.Length / dimension * k)];
        var index = new int[similarity.Length];
        Visit(queries, gallery, dimension, k, excludeSelf, DefaultTileBytes, (query, values, at) =>
        {
            values.CopyTo(similarity.AsSpan(query * k, k));
            at.CopyTo(index.AsSpan(query * k, k));
        }, cancel);
        return new Neighbours(k, similarity, index);
    }

    /// <summary>As <see cref="TopK"/>, but keeps nothing: every query's neighbours go to <paramref name="visit"/> and are forgotten.</summary>
    public static void Visit(
        float[] queries, float[] gallery, int dimension, int k, bool excludeSelf, long tileBytes, NeighbourVisitor visit, CancellationToken cancel)
    {
        using var left = new RowMatrix(queries, dimension);
        using var own = ReferenceEquals(queries, gallery) ? null : new RowMatrix(gallery, dimension);
        var right = own ?? left;
        var most = right.Rows - (excludeSelf ? 1 : 0);
        if (k < 1 || k > most)
            throw new ArgumentOutOfRangeException(nameof(k), k, $"A query has {most} possible neighbours among {right.Rows} images; ask for 1 to {most}.");

        float[] kept = [];
        int[] index = [];
        int[] counts = [];
        left.Products(right, tileBytes, tile =>
        {
            if (tile.FirstColumn == 0)
            {
                if (kept.Length < tile.Rows * k) (kept, index) = (new float[tile.Rows * k], new int[tile.Rows * k]);
                counts = new int[tile.Rows];
            }
            Parallel.For(0, tile.Rows, row =>
            {
                var values = tile.Row(row);
                var self = tile.FirstRow + row - tile.FirstColumn;
                // By index, not by similarity: another image may be just as near.
                if (excludeSelf && self >= 0 && self < tile.Columns) values[self] = float.NegativeInfinity;
                var best = kept.AsSpan(row * k, k);
                var at = index.AsSpan(row * k, k);
                TopSelection.Scan(values, tile.FirstColumn, best, at, ref counts[row]);
                if (!tile.IsLastOfRows) return;
                TopSelection.Sort(best, at);
                visit(tile.FirstRow + row, best, at);
            });
        }, cancel);
    }
}
