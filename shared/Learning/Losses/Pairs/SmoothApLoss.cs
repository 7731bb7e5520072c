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
        var found = pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)).nonzero();                    // [P, 2]
        if (found.shape[0] == 0) return [LossTerms.Nothing(input.Anchors)];
        var anchors = found.narrow(1, 0, 1).squeeze(1);
        var rows = s.index_select(0, anchors);                                                            // [P, R]
        var ahead = ((rows - rows.gather(1, found.narrow(1, 1, 1))) / temperature).sigmoid();             // [P, R]: who stands before the positive
        // The positive itself stands half before itself, which both ranks must not count.
        var amongPositives = 1 + (ahead * pairs.Positives.index_select(0, anchors).to(s.dtype)).sum(1) - 0.5;
        var amongAll = amongPositives + (ahead * pairs.Negatives.index_select(0, anchors).to(s.dtype)).sum(1);
        var precision = amongPositives / amongAll;                                                        // [P]
        var perAnchor = torch.zeros([s.shape[0]], s.dtype, s.device).scatter_add(0, anchors, precision) / pairs.Positives.to(s.dtype).sum(1).clamp_min(1);
        return [LossTerms.Only(1 - perAnchor, pairs.Counted)];
    }
}
