using System.Runtime.InteropServices;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>What is drawn again and again to see how much a metric depends on the draw.</summary>
public enum ResampledUnit
{
    /// <summary>Single queries: how sure the number is for these very classes.</summary>
    Queries,

    /// <summary>Whole classes with all their queries: how sure it is for other classes of this kind. Queries of a class succeed and fail together.</summary>
    Classes,
}

/// <summary>How intervals are computed, kept with them.</summary>
public sealed record IntervalSettings
{
    public ResampledUnit Over { get; init; } = ResampledUnit.Classes;

    /// <summary>Draws with replacement.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>Share of the draws inside the interval.</summary>
    public double Level { get; init; } = 0.95;

    public long Seed { get; init; }

    internal void Check()
    {
        if (Resamples < 10 || Level is not (> 0 and < 1)) throw new ArgumentException($"An interval needs at least 10 resamples, not {Resamples}, and a level between 0 and 1, not {Level}.");
    }
}

/// <summary>A confidence interval of a metric.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Interval(double Low, double High);

/// <summary>Percentile bootstrap (Efron 1979) of means over queries; drawing classes makes it the cluster bootstrap. Deterministic.</summary>
public static class Intervals
{
    /// <summary>Of the mean of each metric over its queries.</summary>
    /// <param name="perQuery">By metric, by image; NaN where the image was no query. The same images for all.</param>
    /// <param name="labels">By image.</param>
    /// <param name="settings">What is drawn, how often.</param>
    /// <param name="cancel">Stops between draws.</param>
    /// <returns>Empty when there are fewer than two units to draw: nothing varies then, which is no certainty.</returns>
    public static Dictionary<string, Interval> Bootstrap(
        IReadOnlyDictionary<string, double[]> perQuery, int[] labels, IntervalSettings settings, CancellationToken cancel)
    {
        settings.Check();
        var result = new Dictionary<string, Interval>(StringComparer.Ordinal);
        if (perQuery.Count == 0) return result;
        var some = perQuery.Values.First();
        var judged = Enumerable.Range(0, labels.Length).Where(i => !double.IsNaN(some[i])).ToArray();
        var units = settings.Over == ResampledUnit.Queries
            ? [.. judged.Select(i => new[] { i })]
            : judged.GroupBy(i => labels[i]).OrderBy(group => group.Key).Select(group => group.ToArray()).ToArray();
        if (units.Length < 2) return result;

        var names = perQuery.Keys.ToArray();
        var sums = names.Select(name => units.Select(unit => unit.Sum(i => perQuery[name][i])).ToArray()).ToArray();
        var means = names.Select(_ => new double[settings.Resamples]).ToArray();
        Parallel.For(0, settings.Resamples, new ParallelOptions { CancellationToken = cancel }, draw =>
        {
            var random = new CounterRandom(settings.Seed, draw);
            var drawn = new double[names.Length];
            double queries = 0;
            for (var i = 0; i < units.Length; i++)
            {
                var unit = random.Below(units.Length);
                queries += units[unit].Length;
                for (var metric = 0; metric < drawn.Length; metric++) drawn[metric] += sums[metric][unit];
            }
            for (var metric = 0; metric < drawn.Length; metric++) means[metric][draw] = drawn[metric] / queries;
        });
        for (var metric = 0; metric < names.Length; metric++)
        {
            Array.Sort(means[metric]);
            var tail = (1 - settings.Level) / 2;
            result[names[metric]] = new Interval(Quantile(means[metric], tail), Quantile(means[metric], 1 - tail));
        }
        return result;
    }

    /// <summary>Of the mean of independent values: mean ± t · s / sqrt(n), Student's t with n - 1 degrees; null for fewer than two.</summary>
    public static Interval? OfMean(IReadOnlyList<double> values, double level = 0.95)
    {
        if (values.Count < 2) return null;
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        var half = StudentT.Quantile((1 + level) / 2, values.Count - 1) * deviation / Math.Sqrt(values.Count);
        return new Interval(mean - half, mean + half);
    }

    /// <summary>Between the two nearest of sorted values, linearly.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }
}
