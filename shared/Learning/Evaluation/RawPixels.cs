using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>The simplest embedding that a learned one has to beat: the pixels themselves, as a vector of unit length.</summary>
public static class RawPixels
{
    // Beyond this, more pixels only cost time: nearest neighbours of photographs do not get better.
    private const int MostSide = 32;

    /// <summary>[N, D] row-major. Dark drawings on light paper are inverted, so that the ink counts; images larger than 32x32 are averaged down first.</summary>
    public static (float[] Embeddings, int Dimension) Embed(ImageSet set, CancellationToken cancel) => Embed(set, IsDarkOnLight(set), cancel);

    /// <summary>As above, inverted or not as it is said: for sets that have to be alike.</summary>
    public static (float[] Embeddings, int Dimension) Embed(ImageSet set, bool invert, CancellationToken cancel)
    {
        int height = Math.Min(MostSide, set.Shape.Height), width = Math.Min(MostSide, set.Shape.Width);
        var dimension = set.Shape.Channels * height * width;
        var embeddings = new float[checked(set.Count * dimension)];
        Parallel.For(0, set.Count, new ParallelOptions { CancellationToken = cancel }, () => new byte[set.Shape.Bytes], (index, _, pixels) =>
        {
            set.CopyPixels(index, pixels);
            var vector = embeddings.AsSpan(index * dimension, dimension);
            Shrink(pixels, set.Shape, vector, height, width);
            if (invert)
                for (var i = 0; i < dimension; i++) vector[i] = 255 - vector[i];
            var norm = MathF.Sqrt(VectorMath.Dot(vector, vector));
            for (var i = 0; i < dimension && norm > 0; i++) vector[i] /= norm;
            return pixels;
        }, _ => { });
        return (embeddings, dimension);
    }

    /// <summary>Whether most images' borders are lighter than their average: ink on paper. Judged on up to 200 images spread over the set.</summary>
    public static bool IsDarkOnLight(ImageSet set)
    {
        var pixels = new byte[set.Shape.Bytes];
        int step = Math.Max(1, set.Count / 200), light = 0, looked = 0;
        for (var index = 0; index < set.Count; index += step, looked++)
        {
            set.CopyPixels(index, pixels);
            if (BorderMean(pixels, set.Shape) > pixels.Average(value => (double)value)) light++;
        }
        return light * 2 > looked;
    }

    private static double BorderMean(ReadOnlySpan<byte> pixels, ImageShape shape)
    {
        double sum = 0;
        var count = 0;
        for (var i = 0; i < pixels.Length; i++)
        {
            int x = i % shape.Width, y = i / shape.Width % shape.Height;
            if (x != 0 && y != 0 && x != shape.Width - 1 && y != shape.Height - 1) continue;
            sum += pixels[i];
            count++;
        }
        return sum / count;
    }

    private static void Shrink(ReadOnlySpan<byte> pixels, ImageShape shape, Span<float> vector, int height, int width)
    {
        var next = 0;
        for (var c = 0; c < shape.Channels; c++)
        {
            for (var y = 0; y < height; y++)
            {
                int top = y * shape.Height / height, bottom = (y + 1) * shape.Height / height;
                for (var x = 0; x < width; x++)
                {
                    int left = x * shape.Width / width, right = (x + 1) * shape.Width / width, sum = 0;
                    for (var row = top; row < bottom; row++)
                        for (var column = left; column < right; column++) sum += pixels[(((c * shape.Height) + row) * shape.Width) + column];
                    vector[next++] = (float)sum / ((bottom - top) * (right - left));
                }
            }
        }
    }
}
