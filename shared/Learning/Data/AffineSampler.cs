using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DmlPipeline.Learning.Data;

/// <summary>Bilinear sampling through an <see cref="AffineMap"/> and, where wanted, an <see cref="ElasticWarp"/>, in 16.16 fixed point so that the vector and the scalar code give the same bytes.</summary>
internal sealed unsafe class AffineSampler(ImageShape shape)
{
    // One cell of paper on the left and top, two on the right and bottom: a place clamped to [-1, side] has both neighbours.
    private readonly int stride = shape.Width + 3;
    private readonly int rows = shape.Height + 3;
    // Four more bytes, because the gather reads four bytes where two are needed.
    private readonly byte[] padded = new byte[((shape.Width + 3) * (shape.Height + 3) * shape.Channels) + 4];
    // What the warp adds to a row's places; zero without one.
    private readonly int[] shiftX = new int[shape.Width];
    private readonly int[] shiftY = new int[shape.Width];

    /// <param name="source">Channel-row-column bytes.</param>
    /// <param name="target">Channel-row-column bytes of the same shape.</param>
    /// <param name="map">From target to source.</param>
    /// <param name="paper">What lies outside, per channel.</param>
    /// <param name="bordered">False where no place outside is wanted: places within half a pixel of the edge then take the edge's colour.</param>
    /// <param name="warp">Displaces the places that the map leads to; null: nothing does.</param>
    public void Sample(ReadOnlySpan<byte> source, Span<byte> target, AffineMap map, ReadOnlySpan<byte> paper, bool bordered, ElasticWarp? warp = null)
    {
        Pad(source, paper);
        Array.Clear(shiftX);
        Array.Clear(shiftY);
        var least = bordered ? -1 << 16 : 0;
        var mostX = (bordered ? shape.Width : shape.Width - 1) << 16;
        var mostY = (bordered ? shape.Height : shape.Height - 1) << 16;
        int stepX = Fixed(map.Xx), stepY = Fixed(map.Yx);
        fixed (byte* from = padded, to = target)
        fixed (int* moreX = shiftX, moreY = shiftY)
        {
            for (var y = 0; y < shape.Height; y++)
            {
                int x0 = Fixed((map.Xy * y) + map.X0), y0 = Fixed((map.Yy * y) + map.Y0);
                var row = to + (y * shape.Width);
                warp?.Row(y, shiftX, shiftY);
                var x = 0;
                if (Avx2.IsSupported)
                    x = SampleEight(from, row, new Walk(x0, stepX, moreX, least, mostX), new Walk(y0, stepY, moreY, least, mostY));
                for (; x < shape.Width; x++)
                    SampleOne(from, row + x, Math.Clamp(x0 + (x * stepX) + moreX[x], least, mostX), Math.Clamp(y0 + (x * stepY) + moreY[x], least, mostY));
            }
        }
    }

    internal static int Fixed(float value) => (int)MathF.Round(value * 65536);

    private void SampleOne(byte* from, byte* to, int x, int y)
    {
        int wx = (x >> 8) & 255, wy = (y >> 8) & 255;
        from += (((y >> 16) + 1) * stride) + (x >> 16) + 1;
        for (var c = 0; c < shape.Channels; c++, from += stride * rows, to += shape.Width * shape.Height)
        {
            var top = (from[0] << 8) + ((from[1] - from[0]) * wx);
            var bottom = (from[stride] << 8) + ((from[stride + 1] - from[stride]) * wx);
            *to = (byte)(((top << 8) + ((bottom - top) * wy) + 32768) >> 16);
        }
    }

    /// <summary>Whole groups of eight pixels of a row; returns how many pixels are done.</summary>
    private int SampleEight(byte* from, byte* row, Walk walkX, Walk walkY)
    {
        var lowByte = Vector256.Create(255);
        var half = Vector256.Create(32768);
        var one = Vector256.Create(1);
        var x = 0;
        for (; x <= shape.Width - 8; x += 8)
        {
            Vector256<int> fx = walkX.At(x), fy = walkY.At(x);
            Vector256<int> wx = (fx >> 8) & lowByte, wy = (fy >> 8) & lowByte;
            var index = (((fy >> 16) + one) * Vector256.Create(stride)) + (fx >> 16) + one;
            for (var c = 0; c < shape.Channels; c++)
            {
                var plane = from + (c * stride * rows);
                var above = Avx2.GatherVector256((int*)plane, index, 1);
                var below = Avx2.GatherVector256((int*)(plane + stride), index, 1);
                var top = Between(above & lowByte, (above >> 8) & lowByte, wx);
                var bottom = Between(below & lowByte, (below >> 8) & lowByte, wx);
                var value = ((top << 8) + ((bottom - top) * wy) + half) >> 16;
                var words = Vector256.Narrow(value, value);
                var bytes = Vector128.Narrow(words.GetLower().AsUInt16(), words.GetLower().AsUInt16());
                // The row's pixels lie in order in the lower halves of both narrowings.
                *(ulong*)(row + (c * shape.Width * shape.Height) + x) = bytes.AsUInt64().ToScalar();
            }
        }
        return x;
    }

    private static Vector256<int> Between(Vector256<int> left, Vector256<int> right, Vector256<int> weight) => (left << 8) + ((right - left) * weight);

    private void Pad(ReadOnlySpan<byte> source, ReadOnlySpan<byte> paper)
    {
        for (var c = 0; c < shape.Channels; c++)
        {
            var plane = padded.AsSpan(c * stride * rows, stride * rows);
            plane.Fill(paper[c]);
            for (var y = 0; y < shape.Height; y++)
                source.Slice(((c * shape.Height) + y) * shape.Width, shape.Width).CopyTo(plane[(((y + 1) * stride) + 1)..]);
        }
    }

    /// <summary>One coordinate along a row of the target.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly struct Walk(int start, int step, int* shift, int least, int most)
    {
        private readonly Vector256<int> lanes = Vector256.Create(start) + (Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7) * Vector256.Create(step));

        public Vector256<int> At(int x) =>
            Vector256.Min(Vector256.Max(lanes + Vector256.Create(x * step) + Vector256.Load(shift + x), Vector256.Create(least)), Vector256.Create(most));
    }
}
