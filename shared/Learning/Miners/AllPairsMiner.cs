using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Miners;

/// <summary>Leaves everything to the loss, but for its own choice of triplets, pairs or draws, of which this takes the place.</summary>
public sealed class AllPairsMiner : Miner
{
    public static MinerEntry Entry { get; } = new("all", "-", "every pair, every triplet: switches off a choice that the loss makes itself", _ => new AllPairsMiner());

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs) => new(pairs.Positives, pairs.Negatives);
}
