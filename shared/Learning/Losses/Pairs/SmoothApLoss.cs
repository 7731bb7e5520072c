using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Smooth-AP: Brown et al., ECCV 2020, arXiv 2007.12163, equation 7.</summary>
/// <remarks>
/// <code>
/// rank(p, S) = 1 + sum over k in S of sigmoid((s_k - s_p) / t)
/// AP(a) = 1/|P| · sum over positives p of rank(p, P \ p) / rank(p, P ∪ N \ p),   loss(a) = 1 - AP(a),   s = cosine similarity
/// </code>
/// </remarks>
public sealed class SmoothApLoss(double temperature) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "smooth-ap", "Brown et al., ECCV 2020, arXiv 2007.12163", "1 - 1/|P| sum_p rank(p, P) / rank(p, P ∪ N), ranks by sigmoids", context => new SmoothApLoss(context.Number("temperature")))
    {
        Options = [LossOption.Number("temperature", 0.01, 1e-4, 10, "t of the sigmoid that stands for a step; the paper's")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);                                                                  // [A, R]
        if (PositiveRanks.Of(s, pairs, temperature) is not { } ranks) return [LossTerms.Nothing(input.Anchors)];
        // The positive itself stands half before itself, which both ranks must not count.
        var amongPositives = 1 + (ranks.Ahead * ranks.Positives).sum(1) - 0.5;                            // [P]
        var amongAll = amongPositives + (ranks.Ahead * ranks.Negatives).sum(1);
        var perAnchor = ranks.PerAnchor(amongPositives / amongAll, s.shape[0]) / pairs.Positives.to(s.dtype).sum(1).clamp_min(1);
        return [LossTerms.Only(1 - perAnchor, pairs.Counted)];
    }
}
