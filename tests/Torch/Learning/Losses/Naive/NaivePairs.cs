using static DmlPipeline.Tests.Torch.Learning.Losses.Naive.NaiveMath;

namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

internal static class NaivePairs
{
    public static double Ice(NaiveBatch b) => b.Anchors.Mean(a =>
    {
        var terms = b.Positives(a).Select(i => -Math.Log(Matching(b, a, i, b["scale"])));
        return b.Choice("positives") == "sum" ? terms.Sum() : terms.Average();
    });

    public static double NtXent(NaiveBatch b) =>
        b.Anchors.SelectMany(a => b.Positives(a).Select(i => -Math.Log(Matching(b, a, i, 1 / b["temperature"])))).Mean(term => term);

    private static double Matching(NaiveBatch b, int a, int i, double scale)
    {
        var own = Math.Exp(scale * b.Cosine(a, i));
        return own / (own + b.Negatives(a).Sum(j => Math.Exp(scale * b.Cosine(a, j))));
    }

    public static double Decoupled(NaiveBatch b) => b.Anchors.SelectMany(a => b.Positives(a).Select(i =>
        -Math.Log(Math.Exp(b.Cosine(a, i) / b["temperature"]) / b.Negatives(a).Sum(j => Math.Exp(b.Cosine(a, j) / b["temperature"]))))).Mean(term => term);

    public static double Nca(NaiveBatch b)
    {
        double Weight(int a, int k) => Math.Exp(-b["scale"] * Math.Pow(b.Distance(a, k), 2));
        return b.Anchors.Mean(a => -Math.Log(b.Positives(a).Sum(i => Weight(a, i)) / b.All.Where(k => k != a).Sum(k => Weight(a, k))));
    }

    public static double SupCon(NaiveBatch b) => b.Anchors.Mean(a => b.Positives(a).Average(p =>
        -Math.Log(Math.Exp(b.Cosine(a, p) / b["temperature"]) / b.All.Where(k => k != a).Sum(k => Math.Exp(b.Cosine(a, k) / b["temperature"])))));

    public static double Circle(NaiveBatch b)
    {
        var (scale, margin) = (b["scale"], b["margin"]);
        return b.Anchors.Mean(a =>
        {
            var push = b.Negatives(a).Sum(j => Math.Exp(scale * Hinge(b.CosineThen(a, j) + margin) * (b.Cosine(a, j) - margin)));
            var pull = b.Positives(a).Sum(i => Math.Exp(-scale * Hinge(1 + margin - b.CosineThen(a, i)) * (b.Cosine(a, i) - (1 - margin))));
            return Math.Log(1 + (push * pull));
        });
    }

    public static double Contrastive(NaiveBatch b, Func<int, int, double> d) =>
        MeanAboveZero(b.PositivePairs.Select(pair => Math.Pow(Hinge(d(pair.A, pair.P) - b["positive_margin"]), b["power"])))
        + MeanAboveZero(b.NegativePairs.Select(pair => Math.Pow(Hinge(b["negative_margin"] - d(pair.A, pair.N)), b["power"])));

    public static double NoiseToSignal(NaiveBatch b, int anchor, int other) =>
        Variance([.. b.X[other].Zip(b.X[anchor], (o, a) => o - a)]) / Variance(b.X[anchor]);

    private static double Variance(double[] v) => v.Average(x => Math.Pow(x - v.Average(), 2));

    public static double Triplet(NaiveBatch b)
    {
        double D(int i, int j) => b.Flag("squared") ? Math.Pow(b.Distance(i, j), 2) : b.Distance(i, j);
        double Hardest(int a, double positive) => Hinge(positive - b.Negatives(a).Min(n => D(a, n)) + b["margin"]);
        return b.Choice("triplets") switch
        {
            "batch-hard" => b.Anchors.Mean(a => Hardest(a, b.Positives(a).Max(p => D(a, p)))),
            "easy-positive" => b.Anchors.Mean(a => Hardest(a, b.Positives(a).Min(p => D(a, p)))),
            var which => MeanAboveZero(
                from pair in b.PositivePairs
                from n in b.Negatives(pair.A)
                where which == "all" || D(pair.A, n) > D(pair.A, pair.P)
                select D(pair.A, pair.P) - D(pair.A, n) + b["margin"]),
        };
    }

    public static double SelectivelyContrastive(NaiveBatch b) => b.Anchors.Mean(a =>
    {
        var (p, n) = (b.Positives(a).Max(i => b.Cosine(a, i)), b.Negatives(a).Max(j => b.Cosine(a, j)));
        return n > p || n > b["ceiling"] ? b["weight"] * n : CrossEntropy([p / b["temperature"], n / b["temperature"]], 0);
    });

    public static double NPairs(NaiveBatch b)
    {
        var two = b.All.GroupBy(i => b.Labels[i]).Where(images => images.Count() > 1).Select(images => (Anchor: images.First(), Positive: images.ElementAt(1))).ToList();
        return two.Mean(own =>
        {
            var right = Dot(b.X[own.Anchor], b.X[own.Positive]);
            var wrong = two.Where(other => other != own).Sum(other => Math.Exp(Dot(b.X[own.Anchor], b.X[other.Positive]) - right));
            return Math.Log(1 + wrong) + (b["regularisation"] / 2 * (Dot(b.X[own.Anchor], b.X[own.Anchor]) + Dot(b.X[own.Positive], b.X[own.Positive])));
        });
    }

    public static double LiftedStructure(NaiveBatch b)
    {
        double Push(int i) => b.Negatives(i).Sum(k => Math.Exp(b["margin"] - b.Distance(i, k)));
        return b.PositivePairs.Mean(pair => Math.Pow(Hinge(Math.Log(Push(pair.A) + Push(pair.P)) + b.Distance(pair.A, pair.P)), 2) / 2);
    }

    public static double GeneralisedLiftedStructure(NaiveBatch b) => b.Anchors.Mean(a => Hinge(
        Math.Log(b.Positives(a).Sum(p => Math.Exp(b.Distance(a, p)))) + Math.Log(b.Negatives(a).Sum(n => Math.Exp(b["margin"] - b.Distance(a, n))))));

    public static double MultiSimilarity(NaiveBatch b)
    {
        var (alpha, beta, threshold) = (b["alpha"], b["beta"], b["threshold"]);
        return b.Anchors.Mean(a =>
        {
            var positives = b.Positives(a).Where(p => !b.Flag("mining") || b.Cosine(a, p) < b.Negatives(a).Max(n => b.Cosine(a, n)) + b["epsilon"]);
            var negatives = b.Negatives(a).Where(n => !b.Flag("mining") || b.Cosine(a, n) > b.Positives(a).Min(p => b.Cosine(a, p)) - b["epsilon"]);
            return (Math.Log(1 + positives.Sum(p => Math.Exp(-alpha * (b.Cosine(a, p) - threshold)))) / alpha)
                + (Math.Log(1 + negatives.Sum(n => Math.Exp(beta * (b.Cosine(a, n) - threshold)))) / beta);
        });
    }

    public static double TupletMargin(NaiveBatch b) => b.PositivePairs.Where(pair => b.Negatives(pair.A).Any()).Mean(pair =>
    {
        var eased = Math.Cos(Math.Acos(b.Cosine(pair.A, pair.P)) - (b["slack_angle"] * Math.PI / 180));
        return Math.Log(1 + b.Negatives(pair.A).Sum(n => Math.Exp(b["scale"] * (b.Cosine(pair.A, n) - eased))));
    });

    public static double Angular(NaiveBatch b)
    {
        var tangent = Math.Pow(Math.Tan(b["angle"] * Math.PI / 180), 2);
        return b.PositivePairs.Where(pair => b.Negatives(pair.A).Any()).Mean(pair => Math.Log(1 + b.Negatives(pair.A).Sum(n => Math.Exp(
            (4 * tangent * (b.Cosine(pair.A, n) + b.Cosine(pair.P, n))) - (2 * (1 + tangent) * b.Cosine(pair.A, pair.P))))));
    }

    public static double Margin(NaiveBatch b)
    {
        double Boundary(int a) => b.Parameters["boundaries"][b.Labels[a]][0];
        return MeanAboveZero([
            .. b.PositivePairs.Select(pair => b["margin"] + b.Distance(pair.A, pair.P) - Boundary(pair.A)),
            .. b.NegativePairs.Select(pair => b["margin"] + Boundary(pair.A) - b.Distance(pair.A, pair.N))]) + (b["nu"] * b.All.Average(Boundary));
    }

    public static double HardNet(NaiveBatch b)
    {
        double Nearest(int i) => b.Negatives(i).Min(n => b.Distance(i, n));
        var loss = b.PositivePairs.Where(pair => b.Negatives(pair.A).Any())
            .Mean(pair => Hinge(b["margin"] + b.Distance(pair.A, pair.P) - Math.Min(Nearest(pair.A), Nearest(pair.P))));
        var first = b.NegativePairs.Mean(pair => b.Cosine(pair.A, pair.N));
        var second = b.NegativePairs.Mean(pair => Math.Pow(b.Cosine(pair.A, pair.N), 2));
        return loss + (b["spread_out"] * ((first * first) + Hinge(second - (1.0 / b.Dimensions))));
    }

    public static double Cascade(NaiveBatch b)
    {
        var positives = b.PositivePairs.Select(pair => b.Distance(pair.A, pair.P)).OrderDescending().ToList();
        var negatives = b.NegativePairs.Select(pair => Hinge(b["margin"] - b.Distance(pair.A, pair.N))).OrderDescending().ToList();
        var total = positives.Average() + negatives.Average();
        foreach (var share in new[] { b["second_level"], b["third_level"] })
        {
            positives = [.. positives.Take((int)Math.Ceiling(share * positives.Count))];
            negatives = [.. negatives.Take((int)Math.Ceiling(share * negatives.Count))];
            total += positives.Average() + negatives.Average();
        }
        return total;
    }
}
