namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>The definitions as loops over pairs in plain C#: slow, obvious, and without torch.</summary>
internal static class NaiveLosses
{
    public static double Ice(double[][] x, int[] labels, double scale, bool sum)
    {
        var f = x.Select(Unit).ToArray();
        return MeanOverAnchors(labels, (a, positives, negatives) =>
        {
            var terms = positives.Select(i =>
            {
                var own = Math.Exp(scale * Dot(f[a], f[i]));
                return -Math.Log(own / (own + negatives.Sum(j => Math.Exp(scale * Dot(f[a], f[j])))));
            }).ToList();
            return sum ? terms.Sum() : terms.Average();
        });
    }

    /// <summary>With the weights α taken at other points than the similarities: what the gradient is of.</summary>
    public static double Circle(double[][] x, double[][] weightsAt, int[] labels, double scale, double margin)
    {
        var (f, w) = (x.Select(Unit).ToArray(), weightsAt.Select(Unit).ToArray());
        return MeanOverAnchors(labels, (a, positives, negatives) =>
        {
            var push = negatives.Sum(j => Math.Exp(scale * Math.Max(0, Dot(w[a], w[j]) + margin) * (Dot(f[a], f[j]) - margin)));
            var pull = positives.Sum(i => Math.Exp(-scale * Math.Max(0, 1 + margin - Dot(w[a], w[i])) * (Dot(f[a], f[i]) - (1 - margin))));
            return Math.Log(1 + (push * pull));
        });
    }

    public static double CircleClass(double[][] x, double[][] weightsAt, int[] labels, double[][] classes, double scale, double margin)
    {
        var (f, w, c) = (x.Select(Unit).ToArray(), weightsAt.Select(Unit).ToArray(), classes.Select(Unit).ToArray());
        return labels.Select((own, a) =>
        {
            double push = 0, pull = 0; // the pull is one term: its logarithm
            for (var m = 0; m < c.Length; m++)
            {
                if (m == own) pull = -scale * Math.Max(0, 1 + margin - Dot(w[a], c[m])) * (Dot(f[a], c[m]) - (1 - margin));
                else push += Math.Exp(scale * Math.Max(0, Dot(w[a], c[m]) + margin) * (Dot(f[a], c[m]) - margin));
            }
            var product = Math.Log(push) + pull;
            return product > 50 ? product : Math.Log(1 + Math.Exp(product)); // log(1 + x) is log(x) to the last digit there
        }).Average();
    }

    public static double Softmax(double[][] x, int[] labels, double[][] classes, double[] bias, double alpha, bool unitFeatures, bool unitClasses, double divisor)
    {
        var f = x.Select(v => unitFeatures ? Unit(v) : v.Select(value => value / divisor).ToArray()).ToArray();
        var c = classes.Select(v => unitClasses ? Unit(v) : v).ToArray();
        return labels.Select((own, a) =>
        {
            var z = c.Select((w, m) => Math.Exp((alpha * Dot(f[a], w)) + bias[m])).ToArray();
            return -Math.Log(z[own] / z.Sum());
        }).Average();
    }

    private static double MeanOverAnchors(int[] labels, Func<int, List<int>, List<int>, double> loss)
    {
        var values = new List<double>();
        for (var a = 0; a < labels.Length; a++)
        {
            var positives = Enumerable.Range(0, labels.Length).Where(i => i != a && labels[i] == labels[a]).ToList();
            var negatives = Enumerable.Range(0, labels.Length).Where(i => labels[i] != labels[a]).ToList();
            if (positives.Count > 0 && negatives.Count > 0) values.Add(loss(a, positives, negatives));
        }
        return values.DefaultIfEmpty().Average();
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Unit(double[] v)
    {
        var length = Math.Sqrt(Dot(v, v));
        return [.. v.Select(value => value / length)];
    }
}
