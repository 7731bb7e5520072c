using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Searches the triplets of a batch without ever holding all of them: positive pairs are compared with all references some at a time.</summary>
internal static class TripletSearch
{
    // Entries of a matrix of positive pairs × references: 64 MiB in single precision.
    private const long MostEntries = 1L << 24;

    /// <summary>The triplets that pass.</summary>
    /// <param name="pairs">Of the labels; R references.</param>
    /// <param name="passes">For some positive pairs, given as places of anchor and positive, [P] each: which references pass as their negative, [P, R] bool.
    /// Whether they are negatives at all is looked after here.</param>
    public static Triplets Where(BatchPairs pairs, Func<torch.Tensor, torch.Tensor, torch.Tensor> passes)
    {
        using var scope = torch.NewDisposeScope();
        var (anchors, positives) = Columns(pairs.Positives.nonzero()); // [P] each
        var atATime = Math.Max(1, MostEntries / pairs.Positives.shape[1]);
        var found = new List<torch.Tensor> { torch.zeros([0, 3], torch.ScalarType.Int64, anchors.device) };
        for (var first = 0L; first < anchors.shape[0]; first += atATime)
        {
            using var inner = torch.NewDisposeScope();
            var count = Math.Min(atATime, anchors.shape[0] - first);
            var (a, p) = (anchors.narrow(0, first, count), positives.narrow(0, first, count));
            var (row, negative) = Columns(passes(a, p).logical_and(pairs.Negatives.index_select(0, a)).nonzero());
            found.Add(torch.stack([a.index_select(0, row), p.index_select(0, row), negative], 1).MoveToOuterDisposeScope());
        }
        var all = torch.cat(found);
        var triplets = new Triplets(Column(all, 0), Column(all, 1), Column(all, 2));
        scope.MoveToOuter(triplets.Anchors, triplets.Positives, triplets.Negatives);
        return triplets;
    }

    private static (torch.Tensor, torch.Tensor) Columns(torch.Tensor places) => (Column(places, 0), Column(places, 1));

    // A copy, so that nothing holds on to the other columns.
    private static torch.Tensor Column(torch.Tensor places, long column) => places.narrow(1, column, 1).squeeze(1).clone();
}
