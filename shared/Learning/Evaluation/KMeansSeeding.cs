using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>Greedy k-means++: each next centre is the best of 2 + ln(k) candidates, drawn with a chance proportional to their squared distance.</summary>
internal static class KMeansSeeding
{
    /// <summary>The first centres, [clusters, D].</summary>
    public static float[] Choose(RowMatrix matrix, float[] points, float[] norms, int clusters, CounterRandom random, CancellationToken cancel)
    {
        var dimension = matrix.Dimension;
        var trials = 2 + (int)Math.Log(clusters);
        var centres = new float[clusters * dimension];
        var nearest = new float[matrix.Rows];
        Array.Fill(nearest, float.PositiveInfinity);

        var candidates = new[] { random.Below(matrix.Rows) };
        for (var c = 0; c < clusters; c++)
        {
            if (c > 0) candidates = Draw(nearest, trials, ref random);
            var (best, distances) = Best(matrix, points, norms, candidates, nearest, cancel);
            points.AsSpan(best * dimension, dimension).CopyTo(centres.AsSpan(c * dimension));
            nearest = distances;
        }
        return centres;
    }

    private static int[] Draw(float[] nearest, int trials, ref CounterRandom random)
    {
        var running = new double[nearest.Length];
        double sum = 0;
        for (var i = 0; i < nearest.Length; i++) running[i] = sum += nearest[i];
        var drawn = new int[trials];
        for (var t = 0; t < trials; t++)
        {
            // All points coincide with centres: any point is as good.
            if (sum <= 0)
            {
                drawn[t] = random.Below(nearest.Length);
                continue;
            }
            var at = Array.BinarySearch(running, random.NextDouble() * sum);
            drawn[t] = Math.Min(at < 0 ? ~at : at + 1, nearest.Length - 1);
        }
        return drawn;
    }

    /// <summary>The candidate after which the squared distances to the nearest centre sum up to least, and those distances.</summary>
    private static (int Point, float[] Nearest) Best(
        RowMatrix matrix, float[] points, float[] norms, int[] candidates, float[] nearest, CancellationToken cancel)
    {
        var dimension = matrix.Dimension;
        var rows = new float[candidates.Length * dimension];
        for (var t = 0; t < candidates.Length; t++) points.AsSpan(candidates[t] * dimension, dimension).CopyTo(rows.AsSpan(t * dimension));
        using var candidateMatrix = new RowMatrix(rows, dimension);
        var distances = new float[candidates.Length][];
        for (var t = 0; t < distances.Length; t++) distances[t] = new float[nearest.Length];
        var sums = new double[candidates.Length];

        // [T, D] x [D, N] -> [T, N]
        candidateMatrix.Products(matrix, NearestNeighbours.DefaultTileBytes, tile =>
        {
            for (var t = 0; t < tile.Rows; t++)
            {
                var range = new Range(tile.FirstColumn, tile.FirstColumn + tile.Columns);
                sums[tile.FirstRow + t] += VectorMath.LesserDistances(
                    nearest.AsSpan()[range], norms.AsSpan()[range], norms[candidates[tile.FirstRow + t]], tile.Row(t), distances[tile.FirstRow + t].AsSpan()[range]);
            }
        }, cancel);

        var best = Array.IndexOf(sums, sums.Min());
        return (candidates[best], distances[best]);
    }
}
