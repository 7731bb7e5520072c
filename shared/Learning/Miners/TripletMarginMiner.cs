using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Triplets by how far their negative lies beyond their positive: Schroff et al. (FaceNet), CVPR 2015, arXiv 1503.03832, section 3.2.</summary>
/// <remarks>
/// <code>
/// gap = d(a, n) - d(a, p)
/// hard: gap &lt;= 0     semi-hard: 0 &lt; gap &lt;= m     violating: gap &lt;= m     easy: gap > m
/// </code>
/// </remarks>
public sealed class TripletMarginMiner : Miner
{
    public static IReadOnlyList<MinerEntry> Entries { get; } =
    [
        Variant("hard", "the negative is nearer to the anchor than the positive", null, _ => double.NegativeInfinity, _ => 0),
        Variant("semi-hard", "the negative is farther than the positive, but by no more than the margin", "m; FaceNet's", _ => 0, settings => settings.Number("margin")),
        Variant("violating", "hard or semi-hard: all that a triplet loss of this margin has something to say about", "m; FaceNet's", _ => double.NegativeInfinity, settings => settings.Number("margin")),
        Variant("easy", "the negative is farther than the positive by more than the margin; to compare with", "m; FaceNet's", settings => settings.Number("margin"), _ => double.PositiveInfinity),
    ];

    private readonly MiningDistance distance;
    private readonly double above, upTo;

    private TripletMarginMiner(MiningDistance distance, double above, double upTo) => (this.distance, this.above, this.upTo) = (distance, above, upTo);

    private static MinerEntry Variant(string name, string choice, string? marginReason, Func<MinerSettings, double> above, Func<MinerSettings, double> upTo) => new(
        name, "Schroff et al., CVPR 2015, arXiv 1503.03832", $"triplets: {choice}", settings => new TripletMarginMiner(MiningDistance.Of(settings), above(settings), upTo(settings)))
    {
        Options = [.. marginReason is null ? (LossOption[])[] : [LossOption.Number("margin", 0.2, 0, 100, marginReason)], .. MiningDistance.Options],
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        var found = TripletSearch.Where(pairs, (a, p) =>
        {
            var toAll = d.index_select(0, a);                       // [P, R]
            var gap = toAll - toAll.gather(1, p.unsqueeze(1));      // [P, R]
            return gap.gt(above).logical_and(gap.le(upTo));
        });
        return PairSelection.Of(found, d.shape[0], d.shape[1]);
    }
}
