using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>Lloyd's algorithm, seeded by greedy k-means++ (Arthur and Vassilvitskii 2007; several candidates per centre, the best is kept). Deterministic.</summary>
public static class KMeans
{
    /// <summary>The cluster of every point, the sum of squared distances to the own centre, and how many iterations the best start took.</summary>
    public sealed record Clustering(int[] Labels, double Inertia, int Iterations);

    /// <param name="points">[N, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="settings">Clusters must be set; it is lowered to N where there are fewer points.</param>
    /// <param name="cancel">Stops between iterations.</param>
    public static Clustering Cluster(float[] points, int dimension, KMeansSettings settings, CancellationToken cancel)
    {
        if (settings.Clusters < 1 || settings.Runs < 1 || settings.MaxIterations < 1)
            throw new ArgumentException("k-means needs at least one cluster, one run and one iteration.");
        using var matrix = new RowMatrix(points, dimension);
        var clusters = Math.Min(settings.Clusters, matrix.Rows);
        var norms = SquaredNorms(points, dimension);
        var tolerance = settings.Tolerance * MeanVariance(points, dimension);

        Clustering? best = null;
        for (var run = 0; run < settings.Runs; run++)
        {
            var centres = KMeansSeeding.Choose(matrix, points, norms, clusters, new CounterRandom(settings.Seed, run), cancel);
            var result = Iterate(matrix, points, norms, centres, settings.MaxIterations, tolerance, cancel);
            if (best is null || result.Inertia < best.Inertia) best = result;
        }
        return best!;
    }

    internal static float[] SquaredNorms(float[] points, int dimension)
    {
        var norms = new float[points.Length / dimension];
        for (var i = 0; i < norms.Length; i++)
        {
            var point = points.AsSpan(i * dimension, dimension);
            norms[i] = VectorMath.Dot(point, point);
        }
        return norms;
    }

    private static Clustering Iterate(
        RowMatrix matrix, float[] points, float[] norms, float[] centres, int maxIterations, double tolerance, CancellationToken cancel)
    {
        var labels = new int[matrix.Rows];
        var scores = new float[matrix.Rows];
        Array.Fill(labels, -1);
        var iterations = 0;
        while (true)
        {
            var changed = Assign(matrix, centres, labels, scores, cancel);
            if (!changed || iterations == maxIterations) break;
            iterations++;
            var moved = Recentre(points, matrix.Dimension, norms, labels, scores, centres);
            if (moved > tolerance) continue;
            Assign(matrix, centres, labels, scores, cancel);
            break;
        }
        double inertia = 0;
        for (var i = 0; i < labels.Length; i++) inertia += Math.Max(0, norms[i] + (2.0 * scores[i]));
        return new Clustering(labels, inertia, iterations);
    }

    /// <summary>Gives every point its nearest centre: the least |c|^2/2 - x.c, which is the score. Says whether any label changed.</summary>
    private static bool Assign(RowMatrix matrix, float[] centres, int[] labels, float[] scores, CancellationToken cancel)
    {
        using var centreMatrix = new RowMatrix(centres, matrix.Dimension);
        var halfNorms = SquaredNorms(centres, matrix.Dimension);
        for (var c = 0; c < halfNorms.Length; c++) halfNorms[c] /= 2;
        Array.Fill(scores, float.PositiveInfinity);
        var changed = 0;
        var before = (int[])labels.Clone();
        // [N, D] x [D, C] -> [N, C]
        matrix.Products(centreMatrix, NearestNeighbours.DefaultTileBytes, tile => Parallel.For(0, tile.Rows, row =>
        {
            var point = tile.FirstRow + row;
            var (score, centre) = VectorMath.LeastDifference(halfNorms.AsSpan(tile.FirstColumn, tile.Columns), tile.Row(row));
            if (score < scores[point]) (scores[point], labels[point]) = (score, tile.FirstColumn + centre);
            if (tile.IsLastOfRows && labels[point] != before[point]) Volatile.Write(ref changed, 1);
        }), cancel);
        return changed == 1;
    }

    /// <summary>Moves every centre to the mean of its points; an empty cluster takes the point that lies farthest from its own centre. Returns the summed squared shift.</summary>
    private static double Recentre(float[] points, int dimension, float[] norms, int[] labels, float[] scores, float[] centres)
    {
        var clusters = centres.Length / dimension;
        var counts = new int[clusters];
        foreach (var label in labels) counts[label]++;
        FillEmpty(norms, labels, scores, counts);

        var means = new float[centres.Length];
        for (var i = 0; i < labels.Length; i++)
            VectorMath.Add(means.AsSpan(labels[i] * dimension, dimension), points.AsSpan(i * dimension, dimension));
        double moved = 0;
        for (var c = 0; c < clusters; c++)
        {
            var mean = means.AsSpan(c * dimension, dimension);
            var centre = centres.AsSpan(c * dimension, dimension);
            for (var d = 0; d < dimension; d++)
            {
                mean[d] /= counts[c];
                moved += ((double)mean[d] - centre[d]) * ((double)mean[d] - centre[d]);
            }
        }
        means.CopyTo(centres, 0);
        return moved;
    }

    private static void FillEmpty(float[] norms, int[] labels, float[] scores, int[] counts)
    {
        if (Array.IndexOf(counts, 0) < 0) return;
        var farthest = new Queue<int>(Enumerable.Range(0, labels.Length).OrderByDescending(i => norms[i] + (2 * scores[i])).ThenBy(i => i));
        for (var c = 0; c < counts.Length; c++)
        {
            if (counts[c] > 0) continue;
            var point = farthest.Dequeue();
            while (counts[labels[point]] < 2) point = farthest.Dequeue();
            counts[labels[point]]--;
            (labels[point], counts[c]) = (c, 1);
        }
    }

    private static double MeanVariance(float[] points, int dimension)
    {
        var (sums, squares) = (new double[dimension], new double[dimension]);
        for (var i = 0; i < points.Length; i += dimension)
        {
            for (var d = 0; d < dimension; d++)
            {
                sums[d] += points[i + d];
                squares[d] += (double)points[i + d] * points[i + d];
            }
        }
        double n = points.Length / dimension, total = 0;
        for (var d = 0; d < dimension; d++) total += (squares[d] / n) - (sums[d] / n * (sums[d] / n));
        return Math.Max(0, total / dimension);
    }
}
