using static DmlPipeline.Tests.Torch.Learning.Losses.Naive.NaiveMath;

namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

internal static class NaiveRankings
{
    public static double Histogram(NaiveBatch b)
    {
        var bins = (int)b["bins"];
        double[] Shares(IReadOnlyList<double> cosines) => [.. Enumerable.Range(0, bins + 1).Select(node =>
            cosines.Average(s => Hinge(1 - (Math.Abs(s - ((2.0 * node / bins) - 1)) / (2.0 / bins)))))];
        var positive = Shares([.. b.PositivePairs.Select(pair => b.Cosine(pair.A, pair.P))]);
        var negative = Shares([.. b.NegativePairs.Select(pair => b.Cosine(pair.A, pair.N))]);
        return negative.Select((share, node) => share * positive.Take(node + 1).Sum()).Sum();
    }

    public static double RankedList(NaiveBatch b)
    {
        double Weighted(List<double> excess, double temperature) =>
            excess.Count == 0 ? 0 : excess.Sum(x => Math.Exp(temperature * x) * x) / excess.Sum(x => Math.Exp(temperature * x));
        return b.Anchors.Mean(a =>
        {
            var far = b.Positives(a).Select(p => b.Distance(a, p) - (b["alpha"] - b["margin"])).Where(x => x > 0).ToList();
            var near = b.Negatives(a).Select(n => b["alpha"] - b.Distance(a, n)).Where(x => x > 0).ToList();
            return ((1 - b["imbalance"]) * Weighted(far, b["positive_temperature"])) + (b["imbalance"] * Weighted(near, b["negative_temperature"]));
        });
    }

    public static double FastAp(NaiveBatch b)
    {
        var bins = (int)b["bins"];
        return b.All.Where(a => b.Positives(a).Any()).Mean(a =>
        {
            double Count(IEnumerable<int> others, int node) => others.Sum(i => Hinge(1 - (Math.Abs(Math.Pow(b.Distance(a, i), 2) - (4.0 * node / bins)) / (4.0 / bins))));
            double sum = 0, runningPositive = 0, running = 0;
            for (var node = 0; node <= bins; node++)
            {
                var positive = Count(b.Positives(a), node);
                runningPositive += positive;
                running += positive + Count(b.Negatives(a), node);
                if (positive > 0) sum += positive * runningPositive / running;
            }
            return 1 - (sum / b.Positives(a).Count());
        });
    }

    public static double SmoothAp(NaiveBatch b) => b.Anchors.Mean(a => 1 - b.Positives(a).Average(p =>
    {
        double Ahead(IEnumerable<int> others) => others.Sum(k => Sigmoid((b.Cosine(a, k) - b.Cosine(a, p)) / b["temperature"]));
        var among = 1 + Ahead(b.Positives(a).Where(k => k != p));
        return among / (among + Ahead(b.Negatives(a)));
    }));

    public static double RecallSurrogate(NaiveBatch b) => b.Anchors.Mean(a =>
    {
        double Rank(int p) => 1 + b.All.Where(z => z != a && z != p).Sum(z => Sigmoid((b.Cosine(a, z) - b.Cosine(a, p)) / b["rank_temperature"]));
        var ks = new List<double> { b["smallest_k"] };
        while (ks[^1] * 2 <= b["largest_k"]) ks.Add(ks[^1] * 2);
        return 1 - ks.Average(k => Math.Min(k, b.Positives(a).Sum(p => Sigmoid((k - Rank(p)) / b["temperature"]))) / Math.Min(k, b.Positives(a).Count()));
    });

    /// <summary>As the first batch of a run: the histogram is its own.</summary>
    public static double DynamicSoftMargin(NaiveBatch b)
    {
        var bins = (int)b["bins"];
        double Now(int i, int j) => b.Distance(i, j);
        double Then(int i, int j) => Math.Sqrt(Math.Max(0, 2 - (2 * b.CosineThen(i, j))));
        List<double> Triplets(Func<int, int, double> d) => b.Choice("triplets") == "all"
            ? [.. from pair in b.PositivePairs from n in b.Negatives(pair.A) select d(pair.A, pair.P) - d(pair.A, n)]
            : [.. from pair in b.PositivePairs
                where b.Negatives(pair.A).Any()
                select d(pair.A, pair.P) - Math.Min(b.Negatives(pair.A).Min(n => d(pair.A, n)), b.Negatives(pair.P).Min(n => d(pair.P, n)))];
        var (histogram, nodes) = (new double[bins + 1], Triplets(Then).Select(x => (x + 2) / 4 * (bins - 1)).ToList());
        foreach (var node in nodes)
        {
            histogram[(int)node] += 1 - (node - (int)node);
            histogram[(int)node + 1] += node - (int)node;
        }
        return Triplets(Now).Zip(nodes, (x, node) => x * histogram.Take((int)node + 1).Sum() / nodes.Count).Mean(x => x);
    }

    public static double Pnp(NaiveBatch b) => b.Anchors.Mean(a => b.Positives(a).Append(a).Average(p =>
    {
        var n = b.Negatives(a).Sum(k => Sigmoid((b.Cosine(a, k) - b.Cosine(a, p)) / b["temperature"]));
        return b.Choice("variant") switch
        {
            "iu" => (1 + n) * Math.Log(1 + n),
            "ib" => ((b["b"] * n) - Math.Log(1 + (b["b"] * n))) / (b["b"] * b["b"]),
            "ds" => Math.Log(1 + n),
            "dq" => 1 - Math.Pow(1 + n, -b["alpha"]),
            _ => n,
        };
    }));
}
