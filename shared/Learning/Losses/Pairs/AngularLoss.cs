using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Angular loss: Wang et al., ICCV 2017, arXiv 1708.01682, equation 8 (with the paper's approximation of the exponent).</summary>
/// <remarks>
/// <code>
/// f(a, p, n) = 4 tan²α (a + p)·n - 2 (1 + tan²α) a·p
/// loss(a, p) = log(1 + sum over negatives n of e^{f(a, p, n)}),   features L2-normalised
/// </code>
/// α bounds the angle at the negative in the triangle that anchor, positive and negative make.
/// </remarks>
public sealed class AngularLoss(double degrees) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "angular", "Wang et al., ICCV 2017, arXiv 1708.01682", "log(1 + sum_n e^{4 tan²α (a+p)·n - 2 (1 + tan²α) a·p})", context => new AngularLoss(context.Number("angle")))
    {
        TakesMiner = true,
        Options = [LossOption.Number("angle", 40, 1, 89, "α in degrees; the paper: 36 to 55, the better the more alike")],
    };

    /// <summary>The positive meets the negatives too.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input); // [B, B]
        var found = pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)).nonzero(); // [P, 2]
        if (found.shape[0] == 0) return [LossTerms.Nothing(input.Anchors)];
        var (a, p) = (found.narrow(1, 0, 1).squeeze(1), found.narrow(1, 1, 1).squeeze(1));
        var tangent = Math.Pow(Math.Tan(degrees * Math.PI / 180), 2);
        var toNegatives = (s.index_select(0, a) + s.index_select(0, p)) * (4 * tangent);                        // [P, B]
        var toPositive = s.index_select(0, a).gather(1, p.unsqueeze(1)) * (2 * (1 + tangent));                  // [P, 1]
        var loss = Stable.Log1pSumExp(toNegatives - toPositive, pairs.Negatives.index_select(0, a));            // [P]
        return [new LossTerms(loss, torch.ones(loss.shape, torch.ScalarType.Bool, loss.device)) { Anchors = a }];
    }
}
