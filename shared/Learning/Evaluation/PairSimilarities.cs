namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// How many pairs of images, of one class and of two, have which similarity: counted exactly, over all pairs, into cells of width 2⁻¹⁵ between −1 and 1.
/// Memory does not grow with the pairs; rates at a threshold between cells are exact, and a similarity is known to half a cell.
/// </summary>
public sealed class PairSimilarities
{
    public const int Cells = 1 << 16;

    private const int OnOneSide = Cells / 2;

    private readonly long[] same = new long[Cells];
    private readonly long[] different = new long[Cells];

    private PairSimilarities()
    {
    }

    /// <summary>Pairs of one class, by cell in ascending order of similarity.</summary>
    public IReadOnlyList<long> Same => same;

    /// <summary>Pairs of two classes, by cell.</summary>
    public IReadOnlyList<long> Different => different;

    public long SamePairs { get; private set; }

    public long DifferentPairs { get; private set; }

    /// <summary>The least similarity that belongs to a cell.</summary>
    public static double EdgeOf(int cell) => ((double)cell / OnOneSide) - 1;

    /// <summary>The similarity that stands for a cell, its middle.</summary>
    public static double MiddleOf(int cell) => ((cell + 0.5) / OnOneSide) - 1;

    /// <summary>The cell of a similarity; what rounding has put beyond −1 and 1 counts there.</summary>
    public static int CellOf(double similarity) => (int)Math.Clamp(Math.Floor((similarity + 1) * OnOneSide), 0, Cells - 1);

    /// <summary>Counts similarities that are known already.</summary>
    public static PairSimilarities Of(IReadOnlyList<double> similarities, IReadOnlyList<bool> areSame)
    {
        if (similarities.Count != areSame.Count) throw new ArgumentException($"There are {similarities.Count} similarities but {areSame.Count} labels.");
        var counted = new PairSimilarities();
        for (var i = 0; i < similarities.Count; i++) (areSame[i] ? counted.same : counted.different)[CellOf(similarities[i])]++;
        return counted.Summed();
    }

    /// <summary>Counts all pairs of images; with a protocol, each query with all that it may find.</summary>
    /// <param name="vectors">Of unit length.</param>
    /// <param name="protocol">Roles and cameras; null for every pair once.</param>
    /// <param name="tileBytes">Memory for one tile of similarities.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <exception cref="InvalidDataException">There is no pair of one class, or none of two.</exception>
    public static PairSimilarities Of(LabelledVectors vectors, QueryGallery? protocol, long tileBytes, CancellationToken cancel)
    {
        vectors.Check();
        var task = new RetrievalTask(vectors.Labels, protocol);
        var counted = new PairSimilarities();
        using var queries = new RowMatrix(RowMatrix.Take(vectors.Values, vectors.Dimension, task.Queries), vectors.Dimension);
        using var gallery = new RowMatrix(RowMatrix.Take(vectors.Values, vectors.Dimension, task.Gallery), vectors.Dimension);
        queries.Products(gallery, tileBytes, tile => Parallel.For(0, tile.Rows,
            () => (Same: new int[Cells], Different: new int[Cells]),
            (row, _, mine) =>
            {
                Count(tile, row, task, vectors.Labels, mine.Same, mine.Different);
                return mine;
            },
            mine => counted.Add(mine.Same, mine.Different)), cancel);
        counted.Summed();
        if (counted.SamePairs == 0 || counted.DifferentPairs == 0)
            throw new InvalidDataException("No query has both an image of its class and one of another in the gallery: check the roles.");
        return counted;
    }

    private static void Count(RowMatrix.Tile tile, int row, RetrievalTask task, int[] labels, int[] same, int[] different)
    {
        var query = tile.FirstRow + row;
        var label = task.LabelOf(query);
        var values = tile.Row(row);
        // Where everything is both query and gallery, each pair would come twice.
        var first = task.IsLeaveOneOut ? Math.Max(0, query + 1 - tile.FirstColumn) : 0;
        for (var column = first; column < values.Length; column++)
        {
            var place = tile.FirstColumn + column;
            if (labels[task.Gallery[place]] != label) different[CellOf(values[column])]++;
            else if (!task.IsHidden(query, place)) same[CellOf(values[column])]++;
        }
    }

    private void Add(int[] moreSame, int[] moreDifferent)
    {
        lock (same)
        {
            for (var cell = 0; cell < Cells; cell++) (same[cell], different[cell]) = (same[cell] + moreSame[cell], different[cell] + moreDifferent[cell]);
        }
    }

    private PairSimilarities Summed()
    {
        (SamePairs, DifferentPairs) = (same.Sum(), different.Sum());
        return this;
    }
}
