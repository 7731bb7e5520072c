namespace DmlPipeline.Learning.Evaluation;

/// <summary>What each query scored, by image; images that were no query, or had nothing to find, have FirstHit -1 and NaN scores.</summary>
public sealed class QueryScores
{
    private readonly Metric[] metrics;

    internal QueryScores(int images, IEnumerable<Metric> metrics)
    {
        (FirstHit, RPrecision, AveragePrecisionAtR) = (new int[images], Undefined(images), Undefined(images));
        Array.Fill(FirstHit, -1);
        this.metrics = [.. metrics];
        Values = this.metrics.ToDictionary(metric => metric.Name, _ => Undefined(images), StringComparer.Ordinal);
    }

    /// <summary>The rank, from 1, of the first relevant neighbour; 0 where none was within reach.</summary>
    public int[] FirstHit { get; }

    public double[] RPrecision { get; }

    public double[] AveragePrecisionAtR { get; }

    /// <summary>By metric name, by image: every metric asked for that has a value per query.</summary>
    public IReadOnlyDictionary<string, double[]> Values { get; }

    /// <summary>The mean over the queries of each class, by label: NaN for a class without any.</summary>
    public double[] ByClass(string metric, int[] labels, int classes)
    {
        var (sums, counts) = (new double[classes], new int[classes]);
        var values = Values[metric];
        for (var i = 0; i < values.Length; i++)
        {
            if (double.IsNaN(values[i])) continue;
            sums[labels[i]] += values[i];
            counts[labels[i]]++;
        }
        return [.. sums.Select((sum, label) => sum / counts[label])];
    }

    internal void Set(int image, ReadOnlySpan<int> ranks, int relevant)
    {
        FirstHit[image] = ranks.Length > 0 ? ranks[0] : 0;
        RPrecision[image] = RankFormulas.RPrecision(ranks, relevant);
        AveragePrecisionAtR[image] = RankFormulas.AveragePrecisionAtR(ranks, relevant);
        foreach (var metric in metrics) Values[metric.Name][image] = RankFormulas.Of(metric, ranks, relevant);
    }

    private static double[] Undefined(int images)
    {
        var values = new double[images];
        Array.Fill(values, double.NaN);
        return values;
    }
}
