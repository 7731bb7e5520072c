using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DmlPipeline.Imaging;

/// <summary>Antialiased separable resize with a triangle filter, in 32-bit floating point: first the columns, then the rows.</summary>
public static class ImageResizer
{
    private const int Block = 16;

    /// <summary>Resizes to exactly width x height, up or down; an image of that size already is returned as it is.</summary>
    public static Image Resize(Image source, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (source.Width == width && source.Height == height) return source;

        var vertical = ResizeWeights.For(source.Height, height);
        var horizontal = ResizeWeights.For(source.Width, width);
        var rowLength = source.Width * source.Channels;
        // The horizontal pass reads whole vectors of taps, past the row's end where the weights are zero.
        var rowBuffer = ArrayPool<float>.Shared.Rent(rowLength + (horizontal.Taps * source.Channels) + Block);
        var row = rowBuffer.AsSpan();
        row[rowLength..].Clear();
        var target = GC.AllocateUninitializedArray<byte>(checked(width * height * source.Channels));
        for (var y = 0; y < height; y++)
        {
            var weights = vertical.Weights.AsSpan(y * vertical.Taps, vertical.Count[y]);
            SumRows(source.Pixels.AsSpan(vertical.First[y] * rowLength), rowLength, weights, row);
            var targetRow = target.AsSpan(y * width * source.Channels, width * source.Channels);
            if (source.Channels == 1)
                SumGrey(row, horizontal, targetRow);
            else
                SumColour(row, horizontal, targetRow);
        }
        ArrayPool<float>.Shared.Return(rowBuffer);
        return new Image(width, height, source.Channels, target);
    }

    /// <summary>row[x] = sum over t of weights[t] * rows[t * length + x].</summary>
    private static void SumRows(ReadOnlySpan<byte> rows, int length, ReadOnlySpan<float> weights, Span<float> row)
    {
        if (length < Block)
        {
            for (var x = 0; x < length; x++)
            {
                var sum = 0f;
                for (var t = 0; t < weights.Length; t++) sum += weights[t] * rows[(t * length) + x];
                row[x] = sum;
            }
            return;
        }

        ref var source = ref MemoryMarshal.GetReference(rows);
        ref var target = ref MemoryMarshal.GetReference(row);
        for (var x = 0; ; x += Block)
        {
            // The last block overlaps its neighbour instead of leaving a scalar tail.
            if (x > length - Block) x = length - Block;
            Vector256<float> low = default, high = default;
            var offset = (nuint)x;
            foreach (var weight in weights)
            {
                // Multiplied and added apart: fused, the last bit would depend on the processor.
                var factor = Vector256.Create(weight);
                low += factor * LoadEight(ref source, offset);
                high += factor * LoadEight(ref source, offset + 8);
                offset += (nuint)length;
            }
            low.StoreUnsafe(ref target, (nuint)x);
            high.StoreUnsafe(ref target, (nuint)x + 8);
            if (x == length - Block) break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadEight(ref byte source, nuint offset)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, offset))).AsByte();
        if (Avx2.IsSupported) return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes));
        var words = Vector128.WidenLower(bytes);
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32());
    }

    private static void SumGrey(ReadOnlySpan<float> row, ResizeWeights weights, Span<byte> target)
    {
        ref var source = ref MemoryMarshal.GetReference(row);
        ref var table = ref MemoryMarshal.GetArrayDataReference(weights.Weights);
        for (var x = 0; x < target.Length; x++)
        {
            var sum = Vector128<float>.Zero;
            var first = (nuint)weights.First[x];
            var w = (nuint)(x * weights.Taps);
            for (nuint t = 0; t < (nuint)weights.Count[x]; t += ResizeWeights.Lanes)
                sum += Vector128.LoadUnsafe(ref table, w + t) * Vector128.LoadUnsafe(ref source, first + t);
            sum += Vector128.Shuffle(sum, Vector128.Create(2, 3, 0, 1));
            target[x] = (byte)(int)(sum.GetElement(0) + sum.GetElement(1) + 0.5f);
        }
    }

    private static void SumColour(ReadOnlySpan<float> row, ResizeWeights weights, Span<byte> target)
    {
        ref var source = ref MemoryMarshal.GetReference(row);
        var half = Vector128.Create(0.5f);
        for (int x = 0, out3 = 0; out3 < target.Length; x++, out3 += 3)
        {
            // Four lanes: red, green, blue and the next pixel's red, which is dropped.
            var sum = half;
            var at = (nuint)(weights.First[x] * 3);
            foreach (var weight in weights.Weights.AsSpan(x * weights.Taps, weights.Count[x]))
            {
                sum += Vector128.Create(weight) * Vector128.LoadUnsafe(ref source, at);
                at += 3;
            }
            var levels = Vector128.ConvertToInt32(sum);
            target[out3] = (byte)levels.GetElement(0);
            target[out3 + 1] = (byte)levels.GetElement(1);
            target[out3 + 2] = (byte)levels.GetElement(2);
        }
    }
}
