using DmlPipeline.Learning.Regularisers;
using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>HardNet: Mishchuk et al., NIPS 2017, arXiv 1705.10872, equation 2; with the spread-out regulariser (GOR) of Zhang et al., ICCV 2017, arXiv 1708.06320.</summary>
/// <remarks>
/// <code>
/// loss(a, p) = max(0, m + d(a, p) - min(d(a, nearest negative of a), d(p, nearest negative of p))),   d Euclidean on L2-normalised features
/// GOR: <see cref="SpreadOut"/>
/// </code>
/// The paper has one positive per class; with more, every positive pair is a term.
/// </remarks>
public sealed class HardNetLoss(double margin, double spreadOut) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "hardnet", "Mishchuk et al., NIPS 2017, arXiv 1705.10872", "max(0, m + d_ap - min(d_a,n(a), d_p,n(p))) + γ GOR",
        context => new HardNetLoss(context.Number("margin"), context.Number("spread_out")))
    {
        Options =
        [
            LossOption.Number("margin", 1, 0, 2, "m; the paper's"),
            LossOption.Number("spread_out", 0, 0, 100, "γ of the spread-out regulariser (GOR, arXiv 1708.06320: 1); 0 leaves it out"),
        ],
    };

    /// <summary>The positive brings its nearest negative too.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input);                                                           // [B, B]
        var nearest = d.masked_fill(pairs.Negatives.logical_not(), 1e3).amin([1], keepdim: true);     // [B, 1]
        var loss = (margin + d - nearest.minimum(nearest.t())).relu();                                // [B, B]
        var terms = LossTerms.Only(loss, pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)));
        return spreadOut == 0 ? [terms] : [terms, SpreadOut.Of(input).Times(spreadOut) with { IsRegulariser = true }];
    }
}
