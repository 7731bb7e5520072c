using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Lifted structured embedding: Song et al., CVPR 2016, arXiv 1511.06452, equation 4.</summary>
/// <remarks>
/// <code>
/// J(i, p) = log[sum over negatives k of i of e^{m - d_ik} + sum over negatives l of p of e^{m - d_pl}] + d_ip
/// loss = 1 / (2 |P|) · sum over positive pairs P of max(0, J)²
/// </code>
/// d is Euclidean; on L2-normalised features here, the paper's are not.
/// </remarks>
public sealed class LiftedStructureLoss(double margin) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "lifted-structure", "Song et al., CVPR 2016, arXiv 1511.06452", "1/2 max(0, log[sum_k e^{m - d_ik} + sum_l e^{m - d_pl}] + d_ip)²",
        context => new LiftedStructureLoss(context.Number("margin")))
    {
        Options = [LossOption.Number("margin", 1, 0, 100, "m; the paper's")],
    };

    /// <summary>Both images of a pair bring their negatives.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input);                                                // [B, B]
        var push = Stable.LogSumExp(margin - d, pairs.Negatives);                          // [B, 1]
        // log(e^a + e^b) = a + softplus(b - a)
        var both = push + Stable.Softplus(push.t() - push);                                // [B, B]
        var loss = (both + d).relu().square() / 2;
        return [LossTerms.Only(loss, pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)))];
    }
}

/// <summary>Generalised lifted structure: Hermans et al., arXiv 1703.07737, equation 8.</summary>
/// <remarks>
/// <code>
/// loss(a) = max(0, log sum_p e^{d_ap} + log sum_n e^{m - d_an}),   d Euclidean on L2-normalised features
/// </code>
/// </remarks>
public sealed class GeneralisedLiftedStructureLoss(double margin) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "generalised-lifted-structure", "Hermans et al., arXiv 1703.07737", "max(0, log sum_p e^{d_p} + log sum_n e^{m - d_n})",
        context => new GeneralisedLiftedStructureLoss(context.Number("margin")))
    {
        TakesMiner = true,
        Options = [LossOption.Number("margin", 1, 0, 100, "m; as in the original form")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input); // [A, R]
        var loss = (Stable.LogSumExp(d, pairs.Positives) + Stable.LogSumExp(margin - d, pairs.Negatives)).squeeze(1).relu();
        return [LossTerms.Only(loss, pairs.Counted)];
    }
}
