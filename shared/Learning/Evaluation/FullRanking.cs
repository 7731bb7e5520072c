using System.Numerics;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>Receives the ranks from 1, ascending, at which a query's relevant images were found; called from several threads.</summary>
internal delegate void RankVisitor(int query, ReadOnlySpan<int> ranks);

/// <summary>Changes a query's similarities to the whole gallery before they are ranked; called from several threads.</summary>
internal delegate void RowTransform(int query, Span<float> similarities);

/// <summary>
/// The exact rank of every relevant image, without sorting the gallery: each image ahead of the last relevant one is counted at the first relevant
/// image that it is ahead of. Memory is one tile of rows; of equal similarities the smaller index is ahead.
/// </summary>
internal static class FullRanking
{
    /// <param name="queries">[Q, D], row-major, in the order of the task's queries.</param>
    /// <param name="gallery">[G, D], row-major, in the order of the task's gallery.</param>
    /// <param name="dimension">D.</param>
    /// <param name="task">Who may find what. Queries with nothing to find are passed over.</param>
    /// <param name="tileBytes">Memory for one tile; at least one row of the gallery is taken.</param>
    /// <param name="transform">For re-ranking; null ranks by inner product.</param>
    /// <param name="visit">Told the ranks.</param>
    /// <param name="cancel">Stops between tiles.</param>
    public static void Visit(
        float[] queries, float[] gallery, int dimension, RetrievalTask task, long tileBytes, RowTransform? transform, RankVisitor visit, CancellationToken cancel)
    {
        using var left = new RowMatrix(queries, dimension);
        using var own = ReferenceEquals(queries, gallery) ? null : new RowMatrix(gallery, dimension);
        // [q, D] x [D, G] -> [q, G]
        left.WholeRows(own ?? left, tileBytes, tile => Parallel.For(0, tile.Rows, row =>
        {
            var query = tile.FirstRow + row;
            if (task.Relevant[query] == 0) return;
            var values = tile.Row(row);
            transform?.Invoke(query, values);
            visit(query, Ranks(values, task, query));
        }), cancel);
    }

    private static int[] Ranks(Span<float> values, RetrievalTask task, int query)
    {
        var (found, at) = TakeOut(values, task, query);
        // counted[p]: irrelevant images ahead of relevant image p but not of p-1.
        var counted = new int[found.Length];
        var last = new Vector<float>(found[^1]);
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (!Vector.GreaterThanOrEqualAny(new Vector<float>(values[i..]), last)) continue;
            for (var lane = i; lane < i + Vector<float>.Count; lane++) Count(values[lane], lane);
        }
        for (; i < values.Length; i++) Count(values[i], i);

        var ahead = 0;
        for (var p = 0; p < counted.Length; p++)
        {
            ahead += counted[p];
            counted[p] = ahead + p + 1;
        }
        return counted;

        void Count(float value, int index)
        {
            if (value < found[^1]) return;
            var (low, high) = (0, found.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (value > found[middle] || (value == found[middle] && index < at[middle])) high = middle;
                else low = middle + 1;
            }
            if (low < found.Length) counted[low]++;
        }
    }

    /// <summary>The similarities of the relevant images, best first, with their places; in the row, these and hidden images become minus infinity.</summary>
    private static (float[] Values, int[] Places) TakeOut(Span<float> values, RetrievalTask task, int query)
    {
        var found = new float[task.Relevant[query]];
        var at = new int[found.Length];
        var count = 0;
        // Places come in ascending order and the sort below is stable, so of equal values the smaller index stays ahead.
        foreach (var place in task.SameClass(query))
        {
            if (!task.IsHidden(query, place)) (found[count], at[count++]) = (-values[place], place);
            values[place] = float.NegativeInfinity;
        }
        if (task.SelfOf(query) is >= 0 and var self) values[self] = float.NegativeInfinity;
        SortStably(found, at);
        for (var i = 0; i < found.Length; i++) found[i] = -found[i];
        return (found, at);
    }

    private static void SortStably(float[] keys, int[] places)
    {
        Array.Sort(keys, places);
        // Array.Sort may turn equal keys round: put their places back into order.
        for (var start = 0; start < keys.Length;)
        {
            var end = start + 1;
            while (end < keys.Length && keys[end] == keys[start]) end++;
            if (end - start > 1) Array.Sort(places, start, end - start);
            start = end;
        }
    }
}
