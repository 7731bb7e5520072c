using System.Numerics;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Keeps the k largest of a stream of values, of equal ones the smaller index: a heap whose root is the worst kept, and a vectorised scan for what
/// beats it. torch's topk leaves the order of equal values open; images that occur twice make them common.
/// </summary>
internal static class TopSelection
{
    /// <summary>Takes in values of ascending index; entries of minus infinity are passed over.</summary>
    public static void Scan(ReadOnlySpan<float> values, int firstIndex, Span<float> kept, Span<int> index, ref int count)
    {
        var i = 0;
        for (; i < values.Length && count < kept.Length; i++)
        {
            if (float.IsNegativeInfinity(values[i])) continue;
            (kept[count], index[count]) = (values[i], firstIndex + i);
            Raise(kept, index, count++);
        }
        if (count < kept.Length) return;

        // A later index only wins with a strictly larger value, so one comparison decides.
        var worst = kept[0];
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (!Vector.GreaterThanAny(new Vector<float>(values[i..]), new Vector<float>(worst))) continue;
            for (var lane = i; lane < i + Vector<float>.Count; lane++)
                if (values[lane] > worst) worst = Replace(kept, index, values[lane], firstIndex + lane);
        }
        for (; i < values.Length; i++)
            if (values[i] > worst) worst = Replace(kept, index, values[i], firstIndex + i);
    }

    /// <summary>Brings what was kept into order, the best first.</summary>
    public static void Sort(Span<float> kept, Span<int> index)
    {
        for (var last = kept.Length - 1; last > 0; last--)
        {
            (kept[0], kept[last]) = (kept[last], kept[0]);
            (index[0], index[last]) = (index[last], index[0]);
            Sink(kept[..last], index[..last]);
        }
    }

    private static float Replace(Span<float> kept, Span<int> index, float value, int at)
    {
        (kept[0], index[0]) = (value, at);
        Sink(kept, index);
        return kept[0];
    }

    private static bool IsWorse(float a, int indexA, float b, int indexB) => a < b || (a == b && indexA > indexB);

    private static void Raise(Span<float> kept, Span<int> index, int child)
    {
        while (child > 0)
        {
            var parent = (child - 1) / 2;
            if (!IsWorse(kept[child], index[child], kept[parent], index[parent])) return;
            (kept[child], kept[parent]) = (kept[parent], kept[child]);
            (index[child], index[parent]) = (index[parent], index[child]);
            child = parent;
        }
    }

    private static void Sink(Span<float> kept, Span<int> index)
    {
        for (var parent = 0; ;)
        {
            var child = (2 * parent) + 1;
            if (child >= kept.Length) return;
            if (child + 1 < kept.Length && IsWorse(kept[child + 1], index[child + 1], kept[child], index[child])) child++;
            if (!IsWorse(kept[child], index[child], kept[parent], index[parent])) return;
            (kept[child], kept[parent]) = (kept[parent], kept[child]);
            (index[child], index[parent]) = (index[parent], index[child]);
            parent = child;
        }
    }
}
