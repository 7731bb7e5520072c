using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Search;

/// <summary>
/// A density on [0, 1): normal distributions, cut off at the ends, one about each place and a wide one in the middle as prior, all of equal weight. Each is as
/// wide as the larger of the gaps to its neighbours, within bounds, so that crowded places are sharp (Bergstra et al. 2011, section 4.2).
/// </summary>
internal sealed class ParzenDensity
{
    private const double PriorMean = 0.5, PriorWidth = 1, Largest = 1 - 1e-9;
    private const int MostTries = 100;

    private readonly double[] means;
    private readonly double[] widths;

    public ParzenDensity(IReadOnlyList<double> places)
    {
        means = [.. places.Append(PriorMean).Order()];
        widths = new double[means.Length];
        var prior = Array.IndexOf(means, PriorMean);
        var narrowest = PriorWidth / Math.Min(100, means.Length + 1);
        for (var i = 0; i < means.Length; i++)
        {
            var below = means[i] - (i > 0 ? means[i - 1] : 0);
            var above = (i < means.Length - 1 ? means[i + 1] : 1) - means[i];
            widths[i] = i == prior ? PriorWidth : Math.Clamp(Math.Max(below, above), narrowest, PriorWidth);
        }
    }

    public double At(double place)
    {
        double sum = 0;
        for (var i = 0; i < means.Length; i++)
        {
            var z = (place - means[i]) / widths[i];
            var inside = Below((1 - means[i]) / widths[i]) - Below(-means[i] / widths[i]);
            sum += Math.Exp(-0.5 * z * z) / (Math.Sqrt(2 * Math.PI) * widths[i] * inside);
        }
        return sum / means.Length;
    }

    public double Draw(ref CounterRandom random)
    {
        var i = random.Below(means.Length);
        for (var tries = 0; tries < MostTries; tries++)
        {
            // Box and Muller.
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var place = means[i] + (widths[i] * normal);
            if (place is >= 0 and < 1) return place;
        }
        return Math.Clamp(means[i], 0, Largest);
    }

    /// <summary>The normal distribution function, to 1e-7 (Abramowitz and Stegun 7.1.26).</summary>
    private static double Below(double z)
    {
        var x = Math.Abs(z) / Math.Sqrt(2);
        var t = 1 / (1 + (0.3275911 * x));
        var tail = ((((((((1.061405429 * t) - 1.453152027) * t) + 1.421413741) * t) - 0.284496736) * t) + 0.254829592) * t * Math.Exp(-x * x) / 2;
        return z < 0 ? tail : 1 - tail;
    }
}
