using System.Numerics;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>The few vector loops that clustering spends its time in.</summary>
internal static class VectorMath
{
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count) sum += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
        var total = Vector.Sum(sum);
        for (; i < a.Length; i++) total += a[i] * b[i];
        return total;
    }

    public static void Add(Span<float> target, ReadOnlySpan<float> more)
    {
        var i = 0;
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(target[i..]) + new Vector<float>(more[i..])).CopyTo(target[i..]);
        for (; i < target.Length; i++) target[i] += more[i];
    }

    public static float Least(ReadOnlySpan<float> values)
    {
        var least = new Vector<float>(float.PositiveInfinity);
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count) least = Vector.Min(least, new Vector<float>(values[i..]));
        var value = float.PositiveInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++) value = MathF.Min(value, least[lane]);
        for (; i < values.Length; i++) value = MathF.Min(value, values[i]);
        return value;
    }

    /// <summary>The least a[i] - b[i] and its place; the first of equal ones.</summary>
    public static (float Value, int Index) LeastDifference(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var least = new Vector<float>(float.PositiveInfinity);
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            least = Vector.Min(least, new Vector<float>(a[i..]) - new Vector<float>(b[i..]));
        var value = float.PositiveInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++) value = MathF.Min(value, least[lane]);
        for (; i < a.Length; i++) value = MathF.Min(value, a[i] - b[i]);

        for (i = 0; i < a.Length; i++)
            if (a[i] - b[i] == value) return (value, i);
        return (value, 0);
    }

    /// <summary>result[i] = min(nearest[i], |x_i|^2 + |c|^2 - 2 x_i.c), never below zero; returns the sum.</summary>
    public static double LesserDistances(ReadOnlySpan<float> nearest, ReadOnlySpan<float> norms, float norm, ReadOnlySpan<float> products, Span<float> result)
    {
        double total = 0;
        var i = 0;
        // Sums of a thousand or so floats lose nothing that matters; their sums are kept in double.
        while (i <= nearest.Length - Vector<float>.Count)
        {
            var sum = Vector<float>.Zero;
            var end = Math.Min(i + (128 * Vector<float>.Count), nearest.Length);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                var distance = new Vector<float>(norms[i..]) + new Vector<float>(norm) - (2 * new Vector<float>(products[i..]));
                var lesser = Vector.Min(new Vector<float>(nearest[i..]), Vector.Max(Vector<float>.Zero, distance));
                lesser.CopyTo(result[i..]);
                sum += lesser;
            }
            total += Vector.Sum(sum);
        }
        for (; i < nearest.Length; i++) total += result[i] = MathF.Min(nearest[i], MathF.Max(0, norms[i] + norm - (2 * products[i])));
        return total;
    }
}
