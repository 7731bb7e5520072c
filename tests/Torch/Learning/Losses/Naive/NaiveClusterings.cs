using static DmlPipeline.Tests.Torch.Learning.Losses.Naive.NaiveMath;

namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

internal static class NaiveClusterings
{
    public static double FacilityLocation(NaiveBatch b)
    {
        var classes = b.Labels.Distinct().Count();
        var medoids = new List<int>();
        while (medoids.Count < classes) medoids.Add(b.All.Except(medoids).MaxBy(candidate => Score(b, [.. medoids, candidate])));
        for (var round = 0; round < 5; round++)
        {
            var before = Score(b, medoids);
            for (var cluster = 0; cluster < classes; cluster++)
            {
                var members = Clusters(b, medoids);
                foreach (var candidate in b.All.Where(i => members[i] == cluster))
                {
                    List<int> changed = [.. medoids.Take(cluster), candidate, .. medoids.Skip(cluster + 1)];
                    if (!medoids.Contains(candidate) && Score(b, changed) > Score(b, medoids)) medoids = changed;
                }
            }
            if (Score(b, medoids) <= before) break;
        }
        return Hinge(Score(b, medoids) - ScoreOfClasses(b));
    }

    /// <summary>With the best of all medoids, which the search may miss and cannot exceed.</summary>
    public static double ExactFacilityLocation(NaiveBatch b) =>
        Hinge(Choices(b, b.Labels.Distinct().Count(), first: 0).Max(medoids => Score(b, medoids)) - ScoreOfClasses(b));

    private static IEnumerable<List<int>> Choices(NaiveBatch b, int count, int first) => count == 0
        ? [[]]
        : b.All.Skip(first).SelectMany(medoid => Choices(b, count - 1, medoid + 1).Select(rest => rest.Prepend(medoid).ToList()));

    private static double ScoreOfClasses(NaiveBatch b) =>
        -b.Labels.Distinct().Sum(own => Members(b, own).Min(medoid => Members(b, own).Sum(i => b.Distance(i, medoid)))) / b.Count;

    // Rounded: either image of a cluster of two is as good a medoid, and the first is taken.
    private static double Score(NaiveBatch b, List<int> medoids) => Math.Round(
        (b["structure"] * (1 - NormalisedInformation(Clusters(b, medoids), b.Labels))) - b.All.Average(i => medoids.Min(medoid => b.Distance(i, medoid))), 11);

    private static int[] Clusters(NaiveBatch b, List<int> medoids) =>
        [.. b.All.Select(i => Enumerable.Range(0, medoids.Count).MinBy(cluster => b.Distance(i, medoids[cluster])))];

    private static List<int> Members(NaiveBatch b, int own) => [.. b.All.Where(i => b.Labels[i] == own)];

    private static double NormalisedInformation(int[] a, int[] b)
    {
        double Entropy<T>(IEnumerable<T> groups) => -groups.GroupBy(group => group).Select(group => group.Count() / (double)a.Length).Sum(p => p * Math.Log(p));
        var (first, second) = (Entropy(a), Entropy(b));
        return first * second == 0 ? 0 : (first + second - Entropy(a.Zip(b))) / Math.Sqrt(first * second);
    }

    public static double Spectral(NaiveBatch b)
    {
        var (n, dimensions) = (b.Count, b.Dimensions);
        double[][] Matrix(int rows, int columns, Func<int, int, double> at) => [.. Enumerable.Range(0, rows).Select(i => Enumerable.Range(0, columns).Select(j => at(i, j)).ToArray())];
        var inverse = Inverse(Matrix(dimensions, dimensions, (d, e) => b.F.Sum(f => f[d] * f[e]) + (d == e ? b["ridge"] * n / dimensions : 0)));
        var spanned = Matrix(n, n, (i, j) => Enumerable.Range(0, dimensions).Sum(d => b.F[i][d] * Dot(inverse[d], b.F[j])));
        var classes = Matrix(n, n, (i, j) => b.Labels[i] == b.Labels[j] ? 1.0 / Members(b, b.Labels[i]).Count : 0);
        return spanned.Zip(classes, (p, c) => Math.Pow(Distance(p, c), 2)).Sum() / b.Labels.Distinct().Count();
    }

    // Gauss and Jordan; the matrices are positive definite, so that no pivot is zero.
    private static double[][] Inverse(double[][] matrix)
    {
        var n = matrix.Length;
        var rows = matrix.Select((row, i) => row.Concat(Enumerable.Range(0, n).Select(j => i == j ? 1.0 : 0)).ToArray()).ToArray();
        for (var pivot = 0; pivot < n; pivot++)
        {
            var divisor = rows[pivot][pivot];
            rows[pivot] = [.. rows[pivot].Select(value => value / divisor)];
            for (var i = 0; i < n; i++)
            {
                if (i == pivot) continue;
                var times = rows[i][pivot];
                rows[i] = [.. rows[i].Zip(rows[pivot], (value, above) => value - (times * above))];
            }
        }
        return [.. rows.Select(row => row[n..])];
    }

    /// <summary>With a proxy for each class.</summary>
    public static double Manifold(NaiveBatch b)
    {
        double[][] points = [.. b.F, .. b.Weights.Select(Unit)];
        var near = points.Select((p, i) => points.Select((q, j) => i == j ? 0 : Math.Exp(2 * Hinge(Dot(p, q)))).ToArray()).ToArray();
        var root = near.Select(row => Math.Sqrt(row.Sum())).ToArray();
        var ends = Inverse([.. near.Select((row, i) => row.Select((s, j) => (i == j ? 1 : 0) - (b["walk"] * s / root[i] / root[j])).ToArray())]);
        ends = [.. ends.Select(row => row.Select(x => x * (1 - b["walk"])).ToArray())];
        double PerImage(int a, Func<int, double> s) => Math.Log(1 + Enumerable.Range(0, b.Weights.Length)
            .Where(k => k != b.Labels[a]).Select(k => s(k) - s(b.Labels[a]) + b["margin"]).Where(excess => excess >= 0).Sum(Math.Exp));
        return b.All.Mean(a => PerImage(a, k => ends[a][b.Count + k]) + (b["context"] * PerImage(a, k => Dot(Unit(ends[a]), Unit(ends[b.Count + k])))));
    }

    public static double VicReg(NaiveBatch b)
    {
        var means = Enumerable.Range(0, b.Dimensions).Select(d => b.X.Average(x => x[d])).ToArray();
        double Covariance(int d, int e) => b.X.Sum(x => (x[d] - means[d]) * (x[e] - means[e])) / (b.Count - 1);
        var invariance = b.PositivePairs.Mean(pair => Math.Pow(Distance(b.X[pair.A], b.X[pair.P]), 2) / b.Dimensions);
        double variance = 0, covariance = 0;
        for (var d = 0; d < b.Dimensions; d++)
        {
            variance += Hinge(1 - Math.Sqrt(Covariance(d, d) + 1e-4)) / b.Dimensions;
            for (var e = 0; e < b.Dimensions; e++) covariance += d == e ? 0 : Math.Pow(Covariance(d, e), 2) / b.Dimensions;
        }
        return (b["invariance"] * invariance) + (b["variance"] * variance) + (b["covariance"] * covariance);
    }
}
