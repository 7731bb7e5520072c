using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Baselines;

/// <summary>A matrix of doubles in row-major order; products and eigenvectors are torch's.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Values">[Rows · Columns].</param>
internal sealed record DenseMatrix(int Rows, int Columns, double[] Values)
{
    public static DenseMatrix Zero(int rows, int columns) => new(rows, columns, new double[checked(rows * columns)]);

    public Span<double> Row(int row) => Values.AsSpan(row * Columns, Columns);

    public double Trace => Enumerable.Range(0, Math.Min(Rows, Columns)).Sum(i => Values[(i * Columns) + i]);

    public DenseMatrix Times(DenseMatrix right) => Through(left => left.mm(ToTensor(right)), Rows, right.Columns);

    /// <summary>This times the transpose of <paramref name="right"/>.</summary>
    public DenseMatrix TimesTransposed(DenseMatrix right) => Through(left => left.mm(ToTensor(right).t()), Rows, right.Rows);

    /// <summary>The transpose of this times <paramref name="right"/>.</summary>
    public DenseMatrix TransposedTimes(DenseMatrix right) => Through(left => left.t().mm(ToTensor(right)), Columns, right.Columns);

    /// <summary>This times the number <paramref name="factor"/>.</summary>
    public DenseMatrix Scaled(double factor) => this with { Values = [.. Values.Select(value => value * factor)] };

    public DenseMatrix Minus(DenseMatrix other) => this with { Values = [.. Values.Zip(other.Values, (a, b) => a - b)] };

    /// <summary>Adds <paramref name="part"/> in place.</summary>
    public void Add(DenseMatrix part)
    {
        for (var i = 0; i < Values.Length; i++) Values[i] += part.Values[i];
    }

    /// <summary>Every row times its own factor.</summary>
    public DenseMatrix ScaledRows(ReadOnlySpan<double> factors)
    {
        var scaled = new DenseMatrix(Rows, Columns, (double[])Values.Clone());
        for (var i = 0; i < Values.Length; i++) scaled.Values[i] *= factors[i / Columns];
        return scaled;
    }

    /// <summary>The first rows.</summary>
    public DenseMatrix Top(int rows) => new(rows, Columns, Values[..(rows * Columns)]);

    /// <summary>
    /// (1 − s) A + s tr(A)/n I of a symmetric [n, n] matrix: pulls the eigenvalues towards their mean, so that few samples or equal features leave none at
    /// zero.
    /// </summary>
    public DenseMatrix Shrunk(double share)
    {
        var shrunk = Scaled(1 - share);
        var mean = share * Trace / Rows;
        for (var i = 0; i < Rows; i++) shrunk.Values[(i * Columns) + i] += mean;
        return shrunk;
    }

    /// <summary>Eigenvalues of a symmetric matrix in descending order, with the eigenvectors as rows.</summary>
    public (double[] Values, DenseMatrix Vectors) Eigen()
    {
        using var scope = NewDisposeScope();
        var (values, vectors) = linalg.eigh(ToTensor(this), 'L');
        double[] ascending = [.. values.data<double>().ToArray()], rows = [.. vectors.t().contiguous().data<double>().ToArray()];
        var descending = Zero(Rows, Columns);
        for (var row = 0; row < Rows; row++) rows.AsSpan((Rows - 1 - row) * Columns, Columns).CopyTo(descending.Row(row));
        Array.Reverse(ascending);
        return (ascending, descending);
    }

    private DenseMatrix Through(Func<Tensor, Tensor> product, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        return new DenseMatrix(rows, columns, product(ToTensor(this)).data<double>().ToArray());
    }

    private static Tensor ToTensor(DenseMatrix matrix) => tensor(matrix.Values, [matrix.Rows, matrix.Columns]);
}
