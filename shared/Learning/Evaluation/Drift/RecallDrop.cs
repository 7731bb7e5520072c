namespace DmlPipeline.Learning.Evaluation.Drift;

/// <summary>How much less the model finds among new labelled images than among old ones, searched in all of them together.</summary>
/// <param name="Reference">Recall@1 of old images, averaged over their classes.</param>
/// <param name="New">Recall@1 of new images, averaged over their classes.</param>
/// <param name="AtLeast">Lower end of the one-sided 95 % interval of the drop, over classes.</param>
public sealed record RecallDrop(double Reference, double New, double AtLeast)
{
    private const double Level = 0.95;

    /// <summary>Whether more than <paramref name="most"/> is lost, and surely something.</summary>
    public bool IsBelow(double most) => Reference - New > most && AtLeast > 0;

    /// <summary>Null when there are fewer than two classes to average over on either side.</summary>
    internal static RecallDrop? Of(float[] products, int[] labels, bool[] isNew)
    {
        var old = ByClass(products, labels, i => !isNew[i]);
        var fresh = ByClass(products, labels, i => isNew[i]);
        if (old.Length < 2 || fresh.Length < 2) return null;
        var drop = old.Average() - fresh.Average();
        // Welch's interval, with the degrees of freedom of the smaller side: queries of a class succeed and fail together.
        var error = Math.Sqrt((Variance(old) / old.Length) + (Variance(fresh) / fresh.Length));
        return new RecallDrop(old.Average(), fresh.Average(), drop - (error * StudentT.Quantile(Level, Math.Min(old.Length, fresh.Length) - 1)));
    }

    /// <summary>Of each class, the share of its queries whose nearest other image is of their class; those without another image are no queries.</summary>
    private static double[] ByClass(float[] products, int[] labels, Func<int, bool> asks)
    {
        var n = labels.Length;
        var size = labels.CountBy(label => label).ToDictionary();
        return [.. Enumerable.Range(0, n).Where(i => asks(i) && size[labels[i]] > 1).GroupBy(i => labels[i]).Select(queries => queries.Average(Hit))];

        double Hit(int query)
        {
            var nearest = -1;
            for (var i = 0; i < n; i++)
                if (i != query && (nearest < 0 || products[(query * n) + i] > products[(query * n) + nearest])) nearest = i;
            return labels[nearest] == labels[query] ? 1 : 0;
        }
    }

    private static double Variance(double[] values)
    {
        var mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
    }
}
