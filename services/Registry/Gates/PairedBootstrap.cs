using System.Runtime.InteropServices;

namespace DmlPipeline.Registry.Gates;

/// <summary>A gain and the interval that holds it.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PairedGain(double Mean, double? Low, double? High);

/// <summary>
/// How much better one model is than another on the same queries: the mean difference, and its percentile bootstrap interval (Efron 1979), drawn by
/// query or by class (cluster bootstrap: Field and Welsh 2007). The percentiles are those that Student's t asks for, which widens the interval of few
/// units as it should (Hesterberg 2015, expanded percentiles): with ten classes the plain one would promote by luck almost twice as often as it says.
/// Deterministic: the same values and seed give the same interval on any machine.
/// </summary>
public static class PairedBootstrap
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <param name="differences">By query: challenger less champion.</param>
    /// <param name="clusterOf">By query: what it is drawn together with; null draws single queries.</param>
    /// <param name="resamples">Draws with replacement.</param>
    /// <param name="confidence">Share of the draws inside the interval.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>Without an interval where there are fewer than two units to draw: nothing varies then, which is no certainty.</returns>
    public static PairedGain Of(IReadOnlyList<double> differences, IReadOnlyList<int>? clusterOf, int resamples, double confidence, long seed)
    {
        var mean = differences.Average();
        var (sums, counts) = Units(differences, clusterOf);
        if (sums.Length < 2) return new PairedGain(mean, Low: null, High: null);

        var drawn = new double[resamples];
        Parallel.For(0, resamples, draw =>
        {
            var state = Mix(Mix((ulong)seed + Golden) ^ ((ulong)draw * 0xD1B54A32D192ED03));
            double sum = 0, count = 0;
            for (var i = 0; i < sums.Length; i++)
            {
                var unit = (int)Math.BigMul(Mix(state += Golden), (ulong)sums.Length, out _);
                sum += sums[unit];
                count += counts[unit];
            }
            drawn[draw] = sum / count;
        });
        Array.Sort(drawn);
        var tail = Tail((1 - confidence) / 2, sums.Length);
        return new PairedGain(mean, Quantile(drawn, tail), Quantile(drawn, 1 - tail));
    }

    private static (double[] Sums, int[] Counts) Units(IReadOnlyList<double> differences, IReadOnlyList<int>? clusterOf)
    {
        if (clusterOf is null) return ([.. differences], [.. Enumerable.Repeat(1, differences.Count)]);
        var (sums, counts) = (new double[clusterOf.Max() + 1], new int[clusterOf.Max() + 1]);
        for (var i = 0; i < differences.Count; i++)
        {
            sums[clusterOf[i]] += differences[i];
            counts[clusterOf[i]]++;
        }
        var judged = Enumerable.Range(0, counts.Length).Where(cluster => counts[cluster] > 0).ToArray();
        return ([.. judged.Select(cluster => sums[cluster])], [.. judged.Select(cluster => counts[cluster])]);
    }

    /// <summary>The share of the draws outside at either end: Φ(−t · sqrt(n / (n − 1))), where t leaves the wanted share outside with n − 1 degrees.</summary>
    internal static double Tail(double wanted, int units) =>
        NormalBelow(-StudentQuantile(1 - wanted, units - 1) * Math.Sqrt(units / (units - 1.0)));

    /// <summary>Found by bisection of the distribution, which for whole degrees is a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4).</summary>
    private static double StudentQuantile(double share, int degrees)
    {
        // Beyond these Student's and the normal distribution agree to four digits.
        if (degrees > 1000) degrees = 1000;
        double low = 0, high = 1;
        while (Below(high) < share) high *= 2;
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            if (Below(middle) < share) low = middle;
            else high = middle;
        }
        return (low + high) / 2;

        double Below(double t)
        {
            var theta = Math.Atan(t / Math.Sqrt(degrees));
            var (sin, cos) = Math.SinCos(theta);
            double sum = 0, term = degrees % 2 == 1 ? cos : 1;
            for (var i = degrees % 2 == 1 ? 3 : 2; i <= degrees; i += 2)
            {
                sum += term;
                term *= cos * cos * (i - 1) / i;
            }
            return (1 + (degrees % 2 == 1 ? 2 / Math.PI * (theta + (sin * sum)) : sin * sum)) / 2;
        }
    }

    /// <summary>Zelen and Severo's approximation (Abramowitz and Stegun 26.2.17), to 7.5e-8; z is at most 0 here.</summary>
    private static double NormalBelow(double z)
    {
        var t = 1 / (1 + (0.2316419 * -z));
        var polynomial = t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * polynomial;
    }

    /// <summary>Between the two nearest of sorted values, linearly.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood 2014).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
