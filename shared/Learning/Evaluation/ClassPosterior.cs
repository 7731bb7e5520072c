namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// The logits of "which class is it?" when classes are known by images: cosine similarities to the mean of every class's images, the image itself not being
/// among them. softmax(logits / T) is the posterior.
/// </summary>
/// <param name="Logits">[N, C] row-major.</param>
/// <param name="Classes">C, classes with known images.</param>
/// <param name="Labels">[N], 0 … C − 1.</param>
public sealed record ClassPosterior(float[] Logits, int Classes, int[] Labels)
{
    // 256 MiB. One number is estimated: more images than fit would not change it.
    private const long MostLogits = 64L << 20;

    /// <param name="vectors">Of unit length.</param>
    /// <param name="protocol">Images of the gallery are known, queries are recognised; null for every image among all the others.</param>
    /// <param name="tileBytes">Memory for one tile of similarities.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <returns>A row for each query with another known image of its class; for some of them, evenly spread, where classes times images are too many.</returns>
    public static ClassPosterior Of(LabelledVectors vectors, QueryGallery? protocol, long tileBytes, CancellationToken cancel)
    {
        vectors.Check();
        var dimension = vectors.Dimension;
        var task = new RetrievalTask(vectors.Labels, protocol);
        var known = task.Gallery.Select(image => vectors.Labels[image]).Distinct().Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        var (sums, sizes) = (new double[known.Count, dimension], new int[known.Count]);
        foreach (var image in task.Gallery)
        {
            var place = known[vectors.Labels[image]];
            sizes[place]++;
            for (var d = 0; d < dimension; d++) sums[place, d] += vectors.Values[(image * dimension) + d];
        }

        int[] able = [.. Enumerable.Range(0, task.Queries.Length).Where(query => task.Relevant[query] > 0 && known.ContainsKey(task.LabelOf(query)))];
        var kept = (int)Math.Min(able.Length, Math.Max(1, MostLogits / Math.Max(1, known.Count)));
        int[] queries = [.. Enumerable.Range(0, kept).Select(i => able[(int)((long)i * able.Length / kept)])], images = [.. queries.Select(query => task.Queries[query])];
        int[] labels = [.. images.Select(image => known[vectors.Labels[image]])];
        var logits = new float[checked(kept * known.Count)];
        using var left = new RowMatrix(RowMatrix.Take(vectors.Values, dimension, images), dimension);
        using var right = new RowMatrix(Directions(sums, dimension), dimension);
        // [q, D] x [D, C] -> [q, C]
        left.Products(right, tileBytes, tile =>
        {
            for (var row = 0; row < tile.Rows; row++) tile.Row(row).CopyTo(logits.AsSpan(((tile.FirstRow + row) * known.Count) + tile.FirstColumn));
        }, cancel);
        for (var i = 0; i < kept; i++)
            if (task.SelfOf(queries[i]) >= 0) logits[(i * known.Count) + labels[i]] = WithoutItself(vectors.Values.AsSpan(images[i] * dimension, dimension), sums, labels[i]);
        return new ClassPosterior(logits, known.Count, labels);
    }

    private static float[] Directions(double[,] sums, int dimension)
    {
        var directions = new float[sums.Length];
        for (var place = 0; place < sums.GetLength(0); place++)
        {
            double squares = 0;
            for (var d = 0; d < dimension; d++) squares += sums[place, d] * sums[place, d];
            // Opposite images cancel out: then no direction is the class's, and every image is as far from it.
            var scale = squares > 1e-24 ? 1 / Math.Sqrt(squares) : 0;
            for (var d = 0; d < dimension; d++) directions[(place * dimension) + d] = (float)(sums[place, d] * scale);
        }
        return directions;
    }

    private static float WithoutItself(ReadOnlySpan<float> vector, double[,] sums, int place)
    {
        double product = 0, squares = 0;
        for (var d = 0; d < vector.Length; d++)
        {
            var rest = sums[place, d] - vector[d];
            product += rest * vector[d];
            squares += rest * rest;
        }
        return squares > 1e-12 ? (float)(product / Math.Sqrt(squares)) : 0;
    }
}
