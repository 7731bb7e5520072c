using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Triplets of a batch: anchor Anchors[t] is to be nearer to reference Positives[t] than to reference Negatives[t].</summary>
/// <param name="Anchors">[T] int64, places among the anchors.</param>
/// <param name="Positives">[T] int64, places among the references.</param>
/// <param name="Negatives">[T] int64, places among the references.</param>
public readonly record struct Triplets(torch.Tensor Anchors, torch.Tensor Positives, torch.Tensor Negatives);

/// <summary>The pairs that a miner has chosen among those of the labels.</summary>
/// <param name="Positives">[A, R] bool.</param>
/// <param name="Negatives">[A, R] bool.</param>
public sealed record PairSelection(torch.Tensor Positives, torch.Tensor Negatives)
{
    /// <summary>The triplets, where which negative meets which positive was chosen too; null when each of an anchor's negatives meets each of its positives.</summary>
    public Triplets? Triplets { get; init; }

    /// <summary>Takes triplets; a pair counts once, in however many triplets it is.</summary>
    public static PairSelection Of(Triplets triplets, long anchors, long references) =>
        new(Mask(triplets.Anchors, triplets.Positives, anchors, references), Mask(triplets.Anchors, triplets.Negatives, anchors, references)) { Triplets = triplets };

    /// <summary>What concerns the anchors from <paramref name="first"/> on.</summary>
    public PairSelection Chunk(long first, long count) =>
        new(Positives.narrow(0, first, count), Negatives.narrow(0, first, count)) { Triplets = Triplets is { } all ? Chunk(all, first, count) : null };

    private static Triplets Chunk(Triplets all, long first, long count)
    {
        var own = all.Anchors.ge(first).logical_and(all.Anchors.lt(first + count));
        return new Triplets(all.Anchors.masked_select(own) - first, all.Positives.masked_select(own), all.Negatives.masked_select(own));
    }

    private static torch.Tensor Mask(torch.Tensor rows, torch.Tensor columns, long anchors, long references)
    {
        var mask = torch.zeros([anchors * references], torch.ScalarType.Bool, rows.device);
        return mask.index_fill_(0, (rows * references) + columns, true).reshape(anchors, references);
    }
}
