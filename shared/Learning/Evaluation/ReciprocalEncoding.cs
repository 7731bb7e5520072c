namespace DmlPipeline.Learning.Evaluation;

/// <summary>The sparse encodings of all images, and the re-ranked similarities of one query at a time: memory grows with N, never with N x N.</summary>
internal sealed class ReciprocalEncoding
{
    private readonly (int[] Places, float[] Weights)[] encodings;
    private readonly List<(int GalleryPlace, float Weight)>[] holders;
    private readonly ReciprocalNeighbours neighbours;
    private readonly int[] rowOfQuery;
    private readonly float lambda;

    private ReciprocalEncoding((int[], float[])[] encodings, List<(int, float)>[] holders, ReciprocalNeighbours neighbours, int[] rowOfQuery, float lambda) =>
        (this.encodings, this.holders, this.neighbours, this.rowOfQuery, this.lambda) = (encodings, holders, neighbours, rowOfQuery, lambda);

    /// <summary>Encodes all images that are queries or in the gallery.</summary>
    public static ReciprocalEncoding Build(float[] embeddings, int dimension, RetrievalTask task, ReRanking settings, long tileBytes, CancellationToken cancel)
    {
        settings.Check();
        var images = task.Queries.Union(task.Gallery).Order().ToArray();
        var rowOf = new Dictionary<int, int>(images.Length);
        for (var row = 0; row < images.Length; row++) rowOf[images[row]] = row;
        var points = RowMatrix.Take(embeddings, dimension, images);

        var nearest = ReciprocalNeighbours.Find(points, dimension, Math.Max(settings.K1, settings.K2 - 1), tileBytes, cancel);
        var options = new ParallelOptions { CancellationToken = cancel };
        var single = new (int[] Places, float[] Weights)[images.Length];
        Parallel.For(0, images.Length, options, row => single[row] = Encode(points, dimension, nearest, row, settings.K1));
        var mean = new (int[] Places, float[] Weights)[images.Length];
        Parallel.For(0, images.Length, options, row => mean[row] = Mean(single, nearest.Of(row, settings.K2 - 1)));

        var holding = new List<(int, float)>[images.Length];
        for (var row = 0; row < holding.Length; row++) holding[row] = [];
        for (var place = 0; place < task.Gallery.Length; place++)
        {
            var (places, weights) = mean[rowOf[task.Gallery[place]]];
            for (var i = 0; i < places.Length; i++) holding[places[i]].Add((place, weights[i]));
        }
        return new ReciprocalEncoding(mean, holding, nearest, [.. task.Queries.Select(image => rowOf[image])], (float)settings.Lambda);
    }

    /// <summary>Turns a query's similarities into minus its re-ranked distances. The Jaccard distance is 1 - m / (2 - m), m the summed minima of two encodings, each of sum 1.</summary>
    public void Transform(int query, Span<float> similarities)
    {
        var row = rowOfQuery[query];
        var shared = new float[similarities.Length];
        var (places, weights) = encodings[row];
        for (var i = 0; i < places.Length; i++)
        {
            var own = weights[i];
            foreach (var (place, weight) in holders[places[i]]) shared[place] += MathF.Min(own, weight);
        }
        var scale = lambda / neighbours.Farthest[row];
        for (var place = 0; place < similarities.Length; place++)
        {
            var jaccard = 1 - (shared[place] / (2 - shared[place]));
            similarities[place] = -(((1 - lambda) * jaccard) + (scale * (2 - (2 * similarities[place]))));
        }
    }

    /// <summary>exp(-d) over the expanded reciprocal neighbours, d as a share of the image's largest distance; the weights sum to 1.</summary>
    private static (int[], float[]) Encode(float[] points, int dimension, ReciprocalNeighbours neighbours, int row, int k1)
    {
        var places = neighbours.ExpandedReciprocal(row, k1);
        var weights = new float[places.Length];
        var point = points.AsSpan(row * dimension, dimension);
        double sum = 0;
        for (var i = 0; i < places.Length; i++)
        {
            var distance = 2 - (2 * VectorMath.Dot(point, points.AsSpan(places[i] * dimension, dimension)));
            weights[i] = MathF.Exp(-distance / neighbours.Farthest[row]);
            sum += weights[i];
        }
        for (var i = 0; i < weights.Length; i++) weights[i] = (float)(weights[i] / sum);
        return (places, weights);
    }

    private static (int[], float[]) Mean((int[] Places, float[] Weights)[] encodings, ReadOnlySpan<int> rows)
    {
        var sum = new SortedDictionary<int, float>();
        foreach (var row in rows)
        {
            var (places, weights) = encodings[row];
            for (var i = 0; i < places.Length; i++) sum[places[i]] = sum.GetValueOrDefault(places[i]) + weights[i];
        }
        var count = rows.Length;
        return ([.. sum.Keys], [.. sum.Values.Select(weight => weight / count)]);
    }
}
