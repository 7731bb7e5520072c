namespace DmlPipeline.Imaging;

/// <summary>
/// The triangle filter of one axis: output i is the sum over t of Weights[i * Taps + t] * input[First[i] + t].
/// Shrinking widens the triangle by the ratio, so that every input pixel counts (no aliasing).
/// </summary>
internal sealed class ResizeWeights
{
    // Weight tables are padded to whole vectors; the padding is zero.
    public const int Lanes = 4;

    [ThreadStatic]
    private static ResizeWeights?[]? recent;

    private ResizeWeights(int input, int output)
    {
        Input = input;
        Output = output;
        var ratio = (double)input / output;
        var radius = Math.Max(ratio, 1);
        var most = (int)Math.Ceiling(2 * radius) + 1;
        Taps = (most + Lanes - 1) / Lanes * Lanes;
        First = new int[output];
        Count = new int[output];
        Weights = new float[output * Taps];
        Span<double> exact = most <= 512 ? stackalloc double[most] : new double[most];
        for (var i = 0; i < output; i++) Fill(i, ratio, radius, exact);
    }

    public int Input { get; }

    public int Output { get; }

    /// <summary>Table width: a multiple of <see cref="Lanes"/>.</summary>
    public int Taps { get; }

    public int[] First { get; }

    /// <summary>How many taps of each output are not padding.</summary>
    public int[] Count { get; }

    public float[] Weights { get; }

    /// <summary>The tables for this ratio; a data set's images mostly share theirs, so the last few of each thread are kept.</summary>
    public static ResizeWeights For(int input, int output)
    {
        var kept = recent ??= new ResizeWeights?[4];
        for (var i = 0; i < kept.Length; i++)
            if (kept[i] is { } known && known.Input == input && known.Output == output)
                return known;
        Array.Copy(kept, 0, kept, 1, kept.Length - 1);
        return kept[0] = new ResizeWeights(input, output);
    }

    private void Fill(int i, double ratio, double radius, Span<double> exact)
    {
        // Pixel centres lie at half numbers.
        var centre = (i + 0.5) * ratio;
        var first = Math.Max(0, (int)Math.Ceiling(centre - radius - 0.5));
        var last = Math.Min(Input - 1, (int)Math.Floor(centre + radius - 0.5));
        var sum = 0d;
        for (var p = first; p <= last; p++)
            sum += exact[p - first] = Math.Max(0, 1 - (Math.Abs(p + 0.5 - centre) / radius));
        First[i] = first;
        Count[i] = last - first + 1;
        // At the edges the triangle is cut off: what remains is scaled up to 1.
        for (var p = first; p <= last; p++) Weights[(i * Taps) + p - first] = (float)(exact[p - first] / sum);
    }
}
