using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Learning.Baselines;

/// <summary>The second moments of labelled features, in double precision about their own means; every linear method is a formula in these.</summary>
internal sealed class Scatter
{
    // Rows that are centred and multiplied at a time: 32 MiB for a thousand features.
    private const int RowsAtOnce = 4096;

    private readonly LabelledVectors vectors;
    private readonly int[] classOf;
    private readonly DenseMatrix means;

    private Scatter(LabelledVectors vectors, int[] classOf, int[] sizes)
    {
        this.vectors = vectors;
        this.classOf = classOf;
        Sizes = sizes;
        means = DenseMatrix.Zero(sizes.Length, vectors.Dimension);
        Mean = new double[vectors.Dimension];
    }

    /// <summary>μ, [D].</summary>
    public double[] Mean { get; }

    /// <summary>n_c, the images of every class.</summary>
    public int[] Sizes { get; }

    public static Scatter Of(LabelledVectors vectors)
    {
        vectors.Check();
        var places = new Dictionary<int, int>();
        foreach (var label in vectors.Labels) places.TryAdd(label, places.Count);
        int[] classes = [.. vectors.Labels.Select(label => places[label])], sizes = new int[places.Count];
        foreach (var label in classes) sizes[label]++;
        var scatter = new Scatter(vectors, classes, sizes);
        scatter.FindMeans();
        return scatter;
    }

    /// <summary>S_w = Σ_c Σ_{i in c} (x_i − μ_c)(x_i − μ_c)ᵀ, [D, D].</summary>
    public DenseMatrix Within(CancellationToken cancel) => AboutClasses(_ => 1, cancel);

    /// <summary>Σ (x_i − x_j)(x_i − x_j)ᵀ over all pairs of one class: Σ_c n_c Σ_{i in c} (x_i − μ_c)(x_i − μ_c)ᵀ.</summary>
    public DenseMatrix OverPairs(CancellationToken cancel) => AboutClasses(size => size, cancel);

    /// <summary>S_b = Σ_c n_c (μ_c − μ)(μ_c − μ)ᵀ, [D, D].</summary>
    public DenseMatrix Between()
    {
        var centred = means with { Values = [.. means.Values.Select((value, i) => value - Mean[i % Mean.Length])] };
        return centred.ScaledRows([.. Sizes.Select(size => (double)size)]).TransposedTimes(centred);
    }

    private DenseMatrix AboutClasses(Func<int, double> weightOfSize, CancellationToken cancel)
    {
        var dimension = vectors.Dimension;
        var sum = DenseMatrix.Zero(dimension, dimension);
        for (var first = 0; first < vectors.Count; first += RowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = DenseMatrix.Zero(Math.Min(RowsAtOnce, vectors.Count - first), dimension);
            for (var i = 0; i < rows.Rows; i++)
            {
                var (row, centre) = (i * dimension, classOf[first + i] * dimension);
                // The root of the weight on each side.
                var root = Math.Sqrt(weightOfSize(Sizes[classOf[first + i]]));
                for (var d = 0; d < dimension; d++)
                    rows.Values[row + d] = root * (vectors.Values[(first * dimension) + row + d] - means.Values[centre + d]);
            }
            sum.Add(rows.TransposedTimes(rows));
        }
        return sum;
    }

    private void FindMeans()
    {
        var dimension = vectors.Dimension;
        for (var i = 0; i < vectors.Values.Length; i++) means.Values[(classOf[i / dimension] * dimension) + (i % dimension)] += vectors.Values[i];
        for (var i = 0; i < means.Values.Length; i++)
        {
            Mean[i % dimension] += means.Values[i] / vectors.Count;
            means.Values[i] /= Sizes[i / dimension];
        }
    }
}
