using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

/// <summary>Small sets of points for metrics and clustering.</summary>
internal static class Points
{
    /// <summary>Normally distributed about a random centre per class; unit length.</summary>
    public static (float[] Values, int[] Labels) Clouds(int dimension, float noise, long seed, params int[] sizes)
    {
        var random = new CounterRandom(seed, 0);
        var labels = sizes.SelectMany((size, label) => Enumerable.Repeat(label, size)).ToArray();
        random.Shuffle<int>(labels);
        var centres = new float[sizes.Length * dimension];
        for (var i = 0; i < centres.Length; i++) centres[i] = Normal(ref random);
        var values = new float[labels.Length * dimension];
        for (var i = 0; i < values.Length; i++)
            values[i] = centres[(labels[i / dimension] * dimension) + (i % dimension)] + (noise * Normal(ref random));
        return (Unit(values, dimension), labels);
    }

    /// <summary>Small whole numbers: their inner products are exact in fp32 in whatever order they are summed, and often equal.</summary>
    public static float[] Whole(int count, int dimension, int most, long seed)
    {
        var random = new CounterRandom(seed, 0);
        var values = new float[count * dimension];
        for (var i = 0; i < values.Length; i++) values[i] = random.Below((2 * most) + 1) - most;
        return values;
    }

    public static float[] Unit(float[] values, int dimension) =>
        [.. values.Chunk(dimension).SelectMany(row =>
        {
            var norm = Math.Sqrt(row.Sum(v => (double)v * v));
            return row.Select(v => (float)(v / norm));
        })];

    public static double Dot(float[] values, int dimension, int a, int b)
    {
        double sum = 0;
        for (var d = 0; d < dimension; d++) sum += (double)values[(a * dimension) + d] * values[(b * dimension) + d];
        return sum;
    }

    private static float Normal(ref CounterRandom random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
