using static DmlPipeline.Tests.Torch.Learning.Losses.Naive.NaiveMath;

namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

internal static class NaiveClassWeights
{
    public static double Circle(NaiveBatch b)
    {
        var (scale, margin) = (b["scale"], b["margin"]);
        return b.All.Mean(a =>
        {
            double push = 0, pull = 0; // the pull is one term: its logarithm
            for (var m = 0; m < b.Weights.Length; m++)
            {
                var (s, then) = (b.CosineTo(a, b.Weights[m]), b.CosineThen(a, b.Weights[m]));
                if (m == b.Labels[a]) pull = -scale * Hinge(1 + margin - then) * (s - (1 - margin));
                else push += Math.Exp(scale * Hinge(then + margin) * (s - margin));
            }
            var product = Math.Log(push) + pull;
            return product > 50 ? product : Math.Log(1 + Math.Exp(product)); // log(1 + x) is log(x) to the last digit there
        });
    }

    public static double Softmax(NaiveBatch b, bool unitFeatures, bool unitWeights, double divisor) => b.All.Mean(a =>
    {
        double[] f = unitFeatures ? b.F[a] : [.. b.X[a].Select(value => value / divisor)];
        return CrossEntropy([.. b.Weights.Select((w, m) => (b["scale"] * Dot(f, unitWeights ? Unit(w) : w)) + Bias(b, m))], b.Labels[a]);
    });

    public static double NormFace(NaiveBatch b)
    {
        var scale = b.Flag("learned_scale") ? b.Parameters["scale"][0][0] : b["scale"];
        return b.All.Mean(a => CrossEntropy([.. b.Weights.Select(w => scale * b.CosineTo(a, w))], b.Labels[a]));
    }

    /// <summary>With all centres at zero, where they begin.</summary>
    public static double Centre(NaiveBatch b) => b.All.Mean(a =>
        CrossEntropy([.. b.Weights.Select((w, m) => Dot(b.X[a], w) + Bias(b, m))], b.Labels[a]) + (b["centre_weight"] / 2 * Dot(b.X[a], b.X[a])));

    private static double Bias(NaiveBatch b, int m) => b.Parameters.TryGetValue("bias", out var bias) ? bias[m][0] : 0;

    public static double Margin(NaiveBatch b, Func<double, double> harder, int centres = 1) => b.All.Mean(a =>
    {
        var cosines = b.Weights.Chunk(centres).Select(own => own.Max(w => b.CosineTo(a, w)));
        return CrossEntropy([.. cosines.Select((s, m) => b["scale"] * (m == b.Labels[a] ? harder(Math.Acos(s)) : s))], b.Labels[a]);
    });

    public static double Added(double theta, double margin, bool easy) =>
        theta <= (easy ? Math.PI / 2 : Math.PI - margin) ? Math.Cos(theta + margin) : Math.Cos(theta) - (easy ? 0 : margin * Math.Sin(margin));

    public static double Multiplied(NaiveBatch b, bool withWeightLength)
    {
        // At the start of a run, as the official schedule has it.
        var mix = b.Flag("annealing") ? 1500 : 0;
        double Harder(double s)
        {
            var turns = Math.Floor(b["margin"] * Math.Acos(s) / Math.PI);
            return (Math.Pow(-1, turns) * Math.Cos(b["margin"] * Math.Acos(s))) - (2 * turns);
        }
        double Logit(int a, int m)
        {
            var s = b.CosineTo(a, b.Weights[m]);
            return Length(b.X[a]) * (withWeightLength ? Length(b.Weights[m]) : 1) * (m == b.Labels[a] ? ((mix * s) + Harder(s)) / (1 + mix) : s);
        }
        return b.All.Mean(a => CrossEntropy([.. b.Weights.Select((_, m) => Logit(a, m))], b.Labels[a]));
    }

    public static double ProxyNca(NaiveBatch b) => b.All.Mean(a =>
    {
        var closeness = b.Weights.Select(w => Math.Exp(-b["scale"] * Math.Pow(Distance(b.F[a], Unit(w)), 2))).ToList();
        var own = closeness[b.Labels[a]];
        return -Math.Log(own / (b.Flag("own_in_denominator") ? closeness.Sum() : closeness.Where((_, m) => m != b.Labels[a]).Sum()));
    });

    public static double ProxyAnchor(NaiveBatch b)
    {
        var (scale, margin, proxies) = (b["scale"], b["margin"], Enumerable.Range(0, b.Weights.Length).ToList());
        var pull = proxies.Where(p => b.Labels.Contains(p))
            .Mean(p => Math.Log(1 + b.All.Where(i => b.Labels[i] == p).Sum(i => Math.Exp(-scale * (b.CosineTo(i, b.Weights[p]) - margin)))));
        var push = proxies.Mean(p => Math.Log(1 + b.All.Where(i => b.Labels[i] != p).Sum(i => Math.Exp(scale * (b.CosineTo(i, b.Weights[p]) + margin)))));
        return pull + push;
    }

    public static double P2sGrad(NaiveBatch b) => b.All.Mean(a => b.Weights.Select((w, m) => Math.Pow(b.CosineTo(a, w) - (m == b.Labels[a] ? 1 : 0), 2)).Sum() / 2);

    public static double SoftTriple(NaiveBatch b)
    {
        var perClass = (int)b["centres"];
        var classes = b.Weights.Chunk(perClass).ToList();
        double Logit(int a, int m)
        {
            var s = classes[m].Select(w => b.CosineTo(a, w)).ToList();
            var share = s.Select(value => Math.Exp(value / b["gamma"])).ToList();
            return b["scale"] * ((s.Zip(share, (value, weight) => value * weight).Sum() / share.Sum()) - (m == b.Labels[a] ? b["margin"] : 0));
        }
        var loss = b.All.Mean(a => CrossEntropy([.. classes.Select((_, m) => Logit(a, m))], b.Labels[a]));
        var spread = 0.0;
        foreach (var centres in classes)
            for (var k = 0; k < perClass; k++)
                for (var l = k + 1; l < perClass; l++) spread += Distance(Unit(centres[k]), Unit(centres[l]));
        return loss + (b["centre_regularisation"] * spread / (classes.Count * perClass * (perClass - 1)));
    }
}
