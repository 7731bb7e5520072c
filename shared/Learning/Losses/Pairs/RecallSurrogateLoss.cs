using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Recall@k surrogate: Patel et al., CVPR 2022, arXiv 2108.11179.</summary>
/// <remarks>
/// <code>
/// r(p) = 1 + sum over references z other than p of sigmoid((s_z - s_p) / t_rank):  the rank of the positive p, softened
/// recall@k(a) = min(k, sum over positives p of sigmoid((k - r(p)) / t_k)) / min(k, number of positives)
/// loss(a) = 1 - mean over k of recall@k(a),   k = the smallest, doubled up to the largest;   s = cosine similarity
/// </code>
/// With one k it is what open-metric-learning calls surrogate precision; there the anchor and the positive count in the rank too, and s is -distance.
/// </remarks>
public sealed class RecallSurrogateLoss(int smallest, int largest, double rankTemperature, double temperature) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "recall-surrogate", "Patel et al., CVPR 2022, arXiv 2108.11179", "1 - mean_k min(k, sum_p σ((k - r_p)/t_k)) / min(k, |P|), ranks r by sigmoids",
        context => new RecallSurrogateLoss((int)context.Number("smallest_k"), (int)context.Number("largest_k"), context.Number("rank_temperature"), context.Number("temperature")))
    {
        Options =
        [
            LossOption.Whole("smallest_k", 1, 1, 1000, "where the k of recall@k begin, each twice the one before; the paper's 1, 2, 4, 8, 16"),
            LossOption.Whole("largest_k", 16, 1, 1000, "where they end; below the smallest, there is the smallest alone"),
            LossOption.Number("rank_temperature", 0.01, 1e-4, 10, "of the sigmoid that counts who stands before; the paper's"),
            LossOption.Number("temperature", 1, 1e-4, 10, "t_k of the sigmoid that tells whether a rank is within k; the paper's"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);                                                                  // [A, R]
        if (PositiveRanks.Of(s, pairs, rankTemperature) is not { } ranks) return [LossTerms.Nothing(input.Anchors)];
        // The positive itself stands half before itself, which the rank must not count.
        var rank = 1 + (ranks.Ahead * (ranks.Positives + ranks.Negatives)).sum(1) - 0.5;                  // [P]
        var positives = pairs.Positives.to(s.dtype).sum(1);                                               // [A]
        torch.Tensor? recall = null;
        var count = 0;
        for (var k = smallest; k == smallest || k <= largest; k *= 2, count++)
        {
            var within = ranks.PerAnchor(((k - rank) / temperature).sigmoid(), s.shape[0]);
            var share = within.clamp_max(k) / positives.clamp(1, k);
            recall = recall is null ? share : recall + share;
        }
        return [LossTerms.Only(1 - (recall! / count), pairs.Counted)];
    }
}
