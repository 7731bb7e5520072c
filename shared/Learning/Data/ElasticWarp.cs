namespace DmlPipeline.Learning.Data;

/// <summary>
/// A smooth random displacement of an image's places, as a hand displaces strokes: uniform cubic B-splines through a coarse lattice of random
/// shifts. Elastic distortion (Simard, Steinkraus and Platt, ICDAR 2003) with a lattice in the place of blurred noise: as smooth, and a few
/// multiplications per pixel.
/// </summary>
/// <remarks>Holds the displacement drawn last: one per thread.</remarks>
internal sealed class ElasticWarp(ImageShape shape)
{
    // Three cells along each side bend strokes apart from one another; more would only shake each of them.
    private const int Cells = 3;
    private const int Knots = Cells + 3;

    private readonly Tap[] columns = Taps(shape.Width);
    private readonly Tap[] rows = Taps(shape.Height);
    private readonly float[] lattice = new float[2 * Knots * Knots];
    private readonly float[] line = new float[2 * Knots];

    /// <summary>Draws the lattice's shifts: uniform, at most <paramref name="amount"/> of the side in each direction.</summary>
    public void Draw(ref CounterRandom random, float amount)
    {
        for (var i = 0; i < Knots * Knots; i++)
        {
            lattice[i] = amount * shape.Width * random.Between(-1, 1);
            lattice[(Knots * Knots) + i] = amount * shape.Height * random.Between(-1, 1);
        }
    }

    /// <summary>The displacement of a row's places in 16.16 fixed point, pixels.</summary>
    public void Row(int y, Span<int> shiftX, Span<int> shiftY)
    {
        var row = rows[y];
        for (var axis = 0; axis < 2; axis++)
            for (var k = 0; k < Knots; k++)
            {
                var first = (((axis * Knots) + row.First) * Knots) + k;
                line[(axis * Knots) + k] = row.Blend(lattice[first], lattice[first + Knots], lattice[first + (2 * Knots)], lattice[first + (3 * Knots)]);
            }
        for (var x = 0; x < shape.Width; x++)
        {
            var at = columns[x];
            var first = at.First;
            shiftX[x] = AffineSampler.Fixed(at.Blend(line[first], line[first + 1], line[first + 2], line[first + 3]));
            first += Knots;
            shiftY[x] = AffineSampler.Fixed(at.Blend(line[first], line[first + 1], line[first + 2], line[first + 3]));
        }
    }

    private static Tap[] Taps(int side) => [.. Enumerable.Range(0, side).Select(i => Tap.At((i + 0.5f) / side * Cells))];

    /// <summary>The four lattice points that a place hangs on, and how much on each.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Tap(int First, float A, float B, float C, float D)
    {
        public static Tap At(float place)
        {
            var first = Math.Min((int)place, Cells - 1);
            float t = place - first, s = 1 - t;
            return new Tap(first, s * s * s / 6, (((3 * t * t * t) - (6 * t * t)) + 4) / 6, (((3 * s * s * s) - (6 * s * s)) + 4) / 6, t * t * t / 6);
        }

        public float Blend(float a, float b, float c, float d) => (A * a) + (B * b) + (C * c) + (D * d);
    }
}
