namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

internal static class NaiveMath
{
    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    public static double Length(double[] v) => Math.Sqrt(Dot(v, v));

    public static double[] Unit(double[] v)
    {
        var length = Length(v);
        return [.. v.Select(value => value / length)];
    }

    public static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());

    public static double Hinge(double x) => Math.Max(0, x);

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    public static double MeanAboveZero(IEnumerable<double> values) => values.Where(value => value > 0).DefaultIfEmpty().Average();

    public static double Mean<T>(this IEnumerable<T> items, Func<T, double> value) => items.Select(value).DefaultIfEmpty().Average();

    /// <summary>-log softmax of one logit.</summary>
    public static double CrossEntropy(IReadOnlyList<double> logits, int own)
    {
        var largest = logits.Max();
        return largest + Math.Log(logits.Sum(z => Math.Exp(z - largest))) - logits[own];
    }
}
