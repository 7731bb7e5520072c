namespace DmlPipeline.Learning.Evaluation;

/// <summary>Each image's nearest ones, itself first, and how far its farthest is: what k-reciprocal encoding starts from. Memory [N, k].</summary>
internal sealed class ReciprocalNeighbours
{
    private readonly int[] index;
    private readonly int k;

    private ReciprocalNeighbours(int[] index, int k, float[] farthest) => (this.index, this.k, Farthest) = (index, k, farthest);

    /// <summary>The largest squared distance from each image; at least a hair above zero, so that it can divide.</summary>
    public float[] Farthest { get; }

    public int Count => Farthest.Length;

    /// <summary>The image itself and its nearest, <paramref name="most"/> + 1 in all.</summary>
    public ReadOnlySpan<int> Of(int image, int most) => index.AsSpan(image * k, Math.Min(most + 1, k));

    /// <summary>Those among the nearest that have the image among theirs, in order of nearness; always the image itself.</summary>
    public List<int> Reciprocal(int image, int most)
    {
        var found = new List<int>();
        foreach (var candidate in Of(image, most))
            if (Of(candidate, most).Contains(image)) found.Add(candidate);
        return found;
    }

    /// <summary>The reciprocal neighbours, and those of each of them (with half as many) that overlap by more than two thirds; ascending.</summary>
    public int[] ExpandedReciprocal(int image, int most)
    {
        var half = (int)Math.Round(most / 2.0);
        var core = Reciprocal(image, most);
        var members = core.ToHashSet();
        var expanded = new SortedSet<int>(core);
        foreach (var candidate in core)
        {
            var others = Reciprocal(candidate, half);
            // The paper writes "at least", its authors' program "more than": published numbers are the program's.
            if (3 * others.Count(members.Contains) > 2 * others.Count) expanded.UnionWith(others);
        }
        return [.. expanded];
    }

    /// <param name="points">[N, D], row-major, unit length.</param>
    /// <param name="dimension">D.</param>
    /// <param name="most">Neighbours per image beside itself; fewer where there are fewer.</param>
    /// <param name="tileBytes">Memory for one tile of similarities.</param>
    /// <param name="cancel">Stops between tiles.</param>
    public static ReciprocalNeighbours Find(float[] points, int dimension, int most, long tileBytes, CancellationToken cancel)
    {
        using var matrix = new RowMatrix(points, dimension);
        var kept = Math.Min(most + 1, matrix.Rows);
        var nearest = new int[checked(matrix.Rows * kept)];
        var farthest = new float[matrix.Rows];
        matrix.WholeRows(matrix, tileBytes, tile => Parallel.For(0, tile.Rows, row =>
        {
            var image = tile.FirstRow + row;
            var values = tile.Row(row);
            farthest[image] = MathF.Max(1e-12f, 2 - (2 * VectorMath.Least(values)));
            nearest[image * kept] = image;
            if (kept == 1) return;
            values[image] = float.NegativeInfinity;
            var count = 0;
            Span<float> best = new float[kept - 1];
            var at = nearest.AsSpan((image * kept) + 1, kept - 1);
            TopSelection.Scan(values, 0, best, at, ref count);
            TopSelection.Sort(best, at);
        }), cancel);
        return new ReciprocalNeighbours(nearest, kept, farthest);
    }
}
