using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>
/// One positive and one negative of each anchor, by how hard they are: Hermans et al., arXiv 1703.07737 (batch-hard); Xuan et al., WACV 2020, arXiv 1904.04370
/// (easy positives).
/// </summary>
/// <remarks>
/// <code>
/// positive: hard = farthest, easy = nearest, semi-hard = farthest of those nearer than the negative
/// negative: hard = nearest, easy = farthest, semi-hard = nearest of those farther than the positive
/// </code>
/// Anchors count that have both. With <c>all</c> on one side, that side keeps its pairs, and the other is chosen for itself. Of equal distances the first counts.
/// </remarks>
public sealed class BatchHardMiner : Miner
{
    private const string Hard = "hard", SemiHard = "semi-hard", Easy = "easy", All = "all";
    private const double Unbounded = 1e6;

    /// <summary>The hardest of both.</summary>
    public static MinerEntry HardEntry { get; } = new(
        "batch-hard", "Hermans et al., arXiv 1703.07737", "of each anchor, the farthest positive and the nearest negative",
        settings => new BatchHardMiner(MiningDistance.Of(settings), Hard, Hard, (-Unbounded, Unbounded), (-Unbounded, Unbounded))) { Options = MiningDistance.Options };

    /// <summary>Any combination.</summary>
    public static MinerEntry Entry { get; } = new(
        "batch-easy-hard", "Xuan et al., WACV 2020, arXiv 1904.04370", "of each anchor, one positive and one negative, as hard as the options say",
        settings => new BatchHardMiner(
            MiningDistance.Of(settings), settings.Choice("positive"), settings.Choice("negative"),
            (settings.Number("positive_from"), settings.Number("positive_to")), (settings.Number("negative_from"), settings.Number("negative_to"))))
    {
        Options =
        [
            LossOption.Choice("positive", "which positive; the nearest lets a class stay in several clusters, the paper's point", Easy, Hard, SemiHard, All),
            LossOption.Choice("negative", "which negative; `semi-hard` is the paper's best together with easy positives", SemiHard, Hard, Easy, All),
            LossOption.Number("positive_from", -Unbounded, -Unbounded, Unbounded, "positives nearer than this are passed over; none are"),
            LossOption.Number("positive_to", Unbounded, -Unbounded, Unbounded, "positives farther than this are passed over; none are"),
            LossOption.Number("negative_from", -Unbounded, -Unbounded, Unbounded, "negatives nearer than this are passed over, perhaps mislabelled; none are"),
            LossOption.Number("negative_to", Unbounded, -Unbounded, Unbounded, "negatives farther than this are passed over; none are"),
            .. MiningDistance.Options,
        ],
        Problem = settings => (settings.Choice("positive"), settings.Choice("negative")) switch
        {
            (SemiHard, SemiHard) => "asks for a semi-hard positive and a semi-hard negative, each of which is measured by the other: choose one of them otherwise",
            (SemiHard, All) or (All, SemiHard) => "asks for semi-hard on one side and all on the other, which leaves nothing to measure by: choose easy or hard",
            _ => null,
        },
    };

    private readonly MiningDistance distance;
    private readonly string positive, negative;
    private readonly (double From, double To) positiveRange, negativeRange;

    private BatchHardMiner(MiningDistance distance, string positive, string negative, (double From, double To) positiveRange, (double From, double To) negativeRange) =>
        (this.distance, this.positive, this.negative, this.positiveRange, this.negativeRange) = (distance, positive, negative, positiveRange, negativeRange);

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        // A range concerns a choice; a side that keeps all its pairs makes none.
        var positives = positive == All ? pairs.Positives : Within(pairs.Positives, d, positiveRange);
        var negatives = negative == All ? pairs.Negatives : Within(pairs.Negatives, d, negativeRange);
        if (positive == All || negative == All)
            return new PairSelection(positive == All ? positives : One(d, positives, farthest: positive == Hard), negative == All ? negatives : One(d, negatives, farthest: negative == Easy));

        if (positive == SemiHard)
        {
            negatives = One(d, negatives, farthest: negative == Easy);
            positives = One(d, positives.logical_and(d.lt(Smallest(d, negatives))), farthest: true);
        }
        else
        {
            positives = One(d, positives, farthest: positive == Hard);
            if (negative == SemiHard) negatives = negatives.logical_and(d.gt(Largest(d, positives)));
            negatives = One(d, negatives, farthest: negative == Easy);
        }
        var both = positives.any(1, true).logical_and(negatives.any(1, true)); // [A, 1]
        return new PairSelection(positives.logical_and(both), negatives.logical_and(both));
    }

    private static torch.Tensor Within(torch.Tensor mask, torch.Tensor d, (double From, double To) range) => mask.logical_and(d.ge(range.From)).logical_and(d.le(range.To));

    /// <summary>One of each row's marked places, [A, R]; none in a row without any.</summary>
    private static torch.Tensor One(torch.Tensor d, torch.Tensor mask, bool farthest)
    {
        var (extreme, place) = farthest ? d.masked_fill(mask.logical_not(), double.NegativeInfinity).max(1, true) : d.masked_fill(mask.logical_not(), double.PositiveInfinity).min(1, true);
        return torch.zeros(d.shape, torch.ScalarType.Bool, d.device).scatter(1, place, extreme.isfinite());
    }
}
