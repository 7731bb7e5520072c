using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Several of the hardest pairs of each anchor: open-metric-learning's miner between batch-hard, which takes one, and all.</summary>
/// <remarks>
/// Positives are ranked from the farthest on, negatives from the nearest on, and those of the ranks from..to are chosen; every chosen positive of an anchor
/// meets every chosen negative. From the second rank on, the very hardest, which are mislabelled more often than others, are passed over. An anchor
/// with fewer pairs keeps those that have such a rank.
/// </remarks>
internal sealed class NHardMiner(MiningDistance distance, (int From, int To) positiveRanks, (int From, int To) negativeRanks) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "n-hard", "open-metric-learning", "of each anchor, the farthest positives and the nearest negatives, by rank",
        settings => new NHardMiner(
            MiningDistance.Of(settings), ((int)settings.Number("positive_from"), (int)settings.Number("positive_to")),
            ((int)settings.Number("negative_from"), (int)settings.Number("negative_to"))))
    {
        Options =
        [
            LossOption.Whole("positive_from", 1, 1, 100_000, "rank of the first positive; 2 passes over the farthest, perhaps mislabelled"),
            LossOption.Whole("positive_to", 3, 1, 100_000, "rank of the last; all three of an anchor, with four images per class"),
            LossOption.Whole("negative_from", 1, 1, 100_000, "rank of the first negative; 2 passes over the nearest, perhaps mislabelled"),
            LossOption.Whole("negative_to", 3, 1, 100_000, "rank of the last; as many as positives"),
            .. MiningDistance.Options,
        ],
        Problem = settings => settings.Number("positive_from") > settings.Number("positive_to") || settings.Number("negative_from") > settings.Number("negative_to")
            ? "asks for ranks that end before they begin: positive_from and negative_from may be no larger than positive_to and negative_to"
            : null,
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = distance.Between(input); // [A, R]
        return new PairSelection(Ranked(d, pairs.Positives, positiveRanks, farthest: true), Ranked(d, pairs.Negatives, negativeRanks, farthest: false));
    }

    private static torch.Tensor Ranked(torch.Tensor d, torch.Tensor mask, (int From, int To) ranks, bool farthest)
    {
        var last = Math.Min(ranks.To, d.shape[1]);
        if (ranks.From > last) return torch.zeros(d.shape, torch.ScalarType.Bool, d.device);
        var places = d.masked_fill(mask.logical_not(), farthest ? double.NegativeInfinity : double.PositiveInfinity)
            .topk((int)last, 1, largest: farthest, sorted: true).indexes.narrow(1, ranks.From - 1, last - ranks.From + 1);
        // A row with fewer pairs has others among its first.
        var chosen = torch.zeros(d.shape, torch.ScalarType.Bool, d.device).scatter(1, places, torch.ones(places.shape, torch.ScalarType.Bool, d.device));
        return chosen.logical_and(mask);
    }
}
