using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Miners;

/// <summary>A batch in plain C#, and what the miners choose of it, from their definitions, triplet by triplet.</summary>
internal sealed class NaiveMiners(double[][] x, long[] labels)
{
    private readonly double[][] f = [.. x.Select(row => row.Select(v => v / Math.Sqrt(row.Sum(w => w * w))).ToArray())];

    private IEnumerable<int> All => Enumerable.Range(0, x.Length);

    private IEnumerable<int> Positives(int a) => All.Where(i => i != a && labels[i] == labels[a]);

    private IEnumerable<int> Negatives(int a) => All.Where(i => labels[i] != labels[a]);

    public IEnumerable<(int A, int P)> PositivePairs => All.SelectMany(a => Positives(a).Select(p => (a, p)));

    public IEnumerable<(int A, int N)> NegativePairs => All.SelectMany(a => Negatives(a).Select(n => (a, n)));

    private IEnumerable<(int A, int P, int N)> Triplets => PositivePairs.SelectMany(pair => Negatives(pair.A).Select(n => (pair.A, pair.P, n)));

    public double Cosine(int i, int j) => f[i].Zip(f[j], (u, v) => u * v).Sum();

    public double Distance(int i, int j, MinerSettings settings)
    {
        switch (settings.Choice("distance"))
        {
            case "cosine":
                return 1 - Cosine(i, j);
            case "snr":
                return Variance([.. x[j].Zip(x[i], (v, u) => v - u)]) / Variance(x[i]);
            default:
                var (from, p) = (settings.Flag("normalised") ? f : x, settings.Number("p"));
                return Math.Pow(from[i].Zip(from[j], (u, v) => Math.Pow(Math.Abs(u - v), p)).Sum(), 1 / p);
        }
    }

    public List<(int A, int P, int N)> MinedTriplets(MinerSettings s) => [.. s.Name switch
    {
        "hard" => Triplets.Where(t => Distance(t.A, t.N, s) <= Distance(t.A, t.P, s)),
        "semi-hard" => Triplets.Where(t => Distance(t.A, t.N, s) > Distance(t.A, t.P, s) && Distance(t.A, t.N, s) <= Distance(t.A, t.P, s) + s.Number("margin")),
        "violating" => Triplets.Where(t => Distance(t.A, t.N, s) <= Distance(t.A, t.P, s) + s.Number("margin")),
        "easy" => Triplets.Where(t => Distance(t.A, t.N, s) > Distance(t.A, t.P, s) + s.Number("margin")),
        "batch-hard" => All.Where(a => Positives(a).Any() && Negatives(a).Any())
            .Select(a => (a, Positives(a).MaxBy(p => Distance(a, p, s)), Negatives(a).MinBy(n => Distance(a, n, s)))),
        "angular" => Triplets.Where(t => AngleAt(t) > s.Number("angle")),
        _ => throw new ArgumentException($"No definition of {s.Name} as triplets."),
    }];

    public (List<(int, int)> Positives, List<(int, int)> Negatives) MinedPairs(MinerSettings s) => s.Name switch
    {
        "all" => ([.. PositivePairs], [.. NegativePairs]),
        "pair-margin" => (
            [.. PositivePairs.Where(pair => Distance(pair.A, pair.P, s) > s.Number("positive_margin"))],
            [.. NegativePairs.Where(pair => Distance(pair.A, pair.N, s) < s.Number("negative_margin"))]),
        "multi-similarity" => (
            [.. PositivePairs.Where(pair => Negatives(pair.A).Any(n => Cosine(pair.A, n) + s.Number("epsilon") > Cosine(pair.A, pair.P)))],
            [.. NegativePairs.Where(pair => Positives(pair.A).Any(p => Cosine(pair.A, p) - s.Number("epsilon") < Cosine(pair.A, pair.N)))]),
        "hdc" => (
            [.. PositivePairs.OrderByDescending(pair => Distance(pair.A, pair.P, s)).Take(Share(PositivePairs.Count(), s))],
            [.. NegativePairs.OrderBy(pair => Distance(pair.A, pair.N, s)).Take(Share(NegativePairs.Count(), s))]),
        "batch-easy-hard" => EasyHard(s),
        "n-hard" => (
            [.. All.SelectMany(a => Ranks(Positives(a).OrderByDescending(p => Distance(a, p, s)), s, "positive").Select(p => (a, p)))],
            [.. All.SelectMany(a => Ranks(Negatives(a).OrderBy(n => Distance(a, n, s)), s, "negative").Select(n => (a, n)))]),
        _ => ([.. MinedTriplets(s).Select(t => (t.A, t.P)).Distinct()], [.. MinedTriplets(s).Select(t => (t.A, t.N)).Distinct()]),
    };

    private static IEnumerable<int> Ranks(IEnumerable<int> hardestFirst, MinerSettings s, string side) =>
        hardestFirst.Take((int)s.Number($"{side}_to")).Skip((int)s.Number($"{side}_from") - 1);

    private (List<(int, int)>, List<(int, int)>) EasyHard(MinerSettings s)
    {
        var (positives, negatives) = (new List<(int, int)>(), new List<(int, int)>());
        foreach (var a in All)
        {
            double D(int i) => Distance(a, i, s);
            var (p, n) = (s.Choice("positive"), s.Choice("negative"));
            var negative = Negatives(a).Order().ToList();
            if (n == "easy") negative = [.. negative.OrderByDescending(D).Take(1)];
            if (n == "hard") negative = [.. negative.OrderBy(D).Take(1)];
            var positive = Positives(a).ToList();
            if (p == "semi-hard") positive = [.. positive.Where(i => negative.Count == 0 || D(i) < D(negative[0]))];
            if (p is "hard" or "semi-hard") positive = [.. positive.OrderByDescending(D).Take(1)];
            if (p == "easy") positive = [.. positive.OrderBy(D).Take(1)];
            if (n == "semi-hard") negative = [.. negative.Where(i => positive.Count == 0 || D(i) > D(positive[0])).OrderBy(D).Take(1)];
            if (p != "all" && n != "all" && (positive.Count == 0 || negative.Count == 0)) continue;
            positives.AddRange(positive.Select(i => (a, i)));
            negatives.AddRange(negative.Select(i => (a, i)));
        }
        return (positives, negatives);
    }

    private double AngleAt((int A, int P, int N) t)
    {
        var centre = f[t.A].Zip(f[t.P], (u, v) => (u + v) / 2).ToArray();
        return Math.Atan(Length(f[t.A], f[t.P]) / (2 * Length(f[t.N], centre))) * 180 / Math.PI;
    }

    private static int Share(int count, MinerSettings s) => (int)Math.Ceiling(s.Number("share") * count);

    private static double Length(double[] u, double[] v) => Math.Sqrt(u.Zip(v, (a, b) => (a - b) * (a - b)).Sum());

    private static double Variance(double[] v) => v.Sum(value => Math.Pow(value - v.Average(), 2)) / (v.Length - 1);
}
