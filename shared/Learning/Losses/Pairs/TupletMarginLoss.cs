using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Tuplet margin loss: Yu and Tao, ICCV 2019, equation 5.</summary>
/// <remarks>
/// <code>
/// loss(a, p) = log(1 + sum over negatives n of e^{s (cos θ_an - cos(θ_ap - β))})
/// </code>
/// The slack angle β eases the pull on positives, so that hard ones, often mislabelled, do not rule.
/// </remarks>
public sealed class TupletMarginLoss(double scale, double degrees) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "tuplet-margin", "Yu and Tao, ICCV 2019", "log(1 + sum_n e^{s (cos θ_n - cos(θ_p - β))})",
        context => new TupletMarginLoss(context.Number("scale"), context.Number("slack_angle")))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("scale", 64, 1e-3, 1e4, "s; the paper's"),
            LossOption.Number("slack_angle", 5.73, 0, 90, "β in degrees; the paper's 0.1 radian"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);                                                                       // [A, R]
        var beta = degrees * Math.PI / 180;
        // cos(θ - β) = cos θ cos β + sin θ sin β: no arc cosine, whose slope is infinite at 0 degrees.
        var eased = (s * Math.Cos(beta)) + (Stable.Sqrt((1 - s.square()).clamp_min(0)) * Math.Sin(beta));
        var pushed = Stable.LogSumExp(s * (scale * Heat), pairs.Negatives);                                    // [A, 1]
        return [LossTerms.Only(Stable.Softplus(pushed - (eased * (scale * Heat))), pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)))];
    }
}
