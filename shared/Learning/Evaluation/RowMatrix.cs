using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>A matrix [Rows, Dimension] held by torch, whose inner products with another are handed out tile by tile, so that no [N, N] matrix exists.</summary>
internal sealed class RowMatrix : IDisposable
{
    private readonly Tensor tensor;

    /// <param name="values">Row-major, a multiple of <paramref name="dimension"/> long.</param>
    /// <param name="dimension">Values per row.</param>
    public RowMatrix(float[] values, int dimension)
    {
        if (dimension < 1 || values.Length % dimension != 0)
            throw new ArgumentException($"{values.Length} values are no whole number of rows of {dimension}.");
        Rows = values.Length / dimension;
        Dimension = dimension;
        tensor = torch.tensor(values, [Rows, dimension]).DetachFromDisposeScope();
    }

    /// <summary>Some rows of a row-major matrix, in that order.</summary>
    public static float[] Take(float[] values, int dimension, ReadOnlySpan<int> rows)
    {
        var taken = new float[checked(rows.Length * dimension)];
        for (var i = 0; i < rows.Length; i++) values.AsSpan(rows[i] * dimension, dimension).CopyTo(taken.AsSpan(i * dimension));
        return taken;
    }

    public int Rows { get; }

    public int Dimension { get; }

    /// <summary>A tile of inner products: value [row, column] lies at row * Columns + column.</summary>
    public readonly record struct Tile(int FirstRow, int Rows, int FirstColumn, int Columns, float[] Values, bool IsLastOfRows)
    {
        public Span<float> Row(int row) => Values.AsSpan(row * Columns, Columns);
    }

    /// <summary>All inner products with <paramref name="others"/> in fp32, one tile at a time: all columns of some rows before the next rows.</summary>
    public void Products(RowMatrix others, long tileBytes, Action<Tile> visit, CancellationToken cancel)
    {
        if (Rows == 0 || others.Rows == 0) return;
        Products(others, TileSize(Rows, others.Rows, tileBytes), visit, cancel);
    }

    /// <summary>As <see cref="Products(RowMatrix, long, Action{Tile}, CancellationToken)"/>, with every tile as wide as <paramref name="others"/> has rows.</summary>
    public void WholeRows(RowMatrix others, long tileBytes, Action<Tile> visit, CancellationToken cancel)
    {
        if (Rows == 0 || others.Rows == 0) return;
        var values = Math.Min(tileBytes / sizeof(float), Array.MaxLength);
        Products(others, ((int)Math.Clamp(values / others.Rows, 1, Rows), others.Rows), visit, cancel);
    }

    private void Products(RowMatrix others, (int Rows, int Columns) size, Action<Tile> visit, CancellationToken cancel)
    {
        var (rows, columns) = size;
        var values = GC.AllocateUninitializedArray<float>(rows * columns);

        using var scope = NewDisposeScope();
        var lefts = tensor.split(rows);
        // [columns, D] -> [D, columns]
        var rights = others.tensor.split(columns).Select(right => right.t()).ToArray();
        for (int i = 0, row = 0; i < lefts.Length; row += (int)lefts[i].shape[0], i++)
        {
            for (int j = 0, column = 0; j < rights.Length; column += (int)rights[j].shape[1], j++)
            {
                cancel.ThrowIfCancellationRequested();
                using var products = lefts[i].matmul(rights[j]);
                products.data<float>().CopyTo(values);
                visit(new Tile(row, (int)lefts[i].shape[0], column, (int)rights[j].shape[1], values, j == rights.Length - 1));
            }
        }
    }

    public void Dispose() => tensor.Dispose();

    /// <summary>The largest tile within the budget that keeps at least 256 rows, because tall tiles make good use of the processor's caches.</summary>
    private static (int Rows, int Columns) TileSize(int rows, int columns, long bytes)
    {
        var values = Math.Clamp(bytes / sizeof(float), 1, Array.MaxLength);
        var wide = (int)Math.Clamp(values / Math.Min(rows, 256), 1, columns);
        return ((int)Math.Clamp(values / wide, 1, rows), wide);
    }
}
