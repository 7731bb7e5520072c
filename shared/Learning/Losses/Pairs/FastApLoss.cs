using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>FastAP: Cakir et al., CVPR 2019, "Deep metric learning to rank", equations 6 to 9.</summary>
/// <remarks>
/// <code>
/// h_j, h⁺_j = soft histograms of the squared distances (0..4) of all, and of positive, references of the anchor; H, H⁺ their running sums
/// FastAP(a) = 1 / N⁺ · sum over bins j of h⁺_j H⁺_j / H_j,   loss(a) = 1 - FastAP(a)
/// </code>
/// </remarks>
public sealed class FastApLoss(int bins) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "fast-ap", "Cakir et al., CVPR 2019", "1 - 1/N⁺ sum_j h⁺_j H⁺_j / H_j", context => new FastApLoss((int)context.Number("bins")))
    {
        Options = [LossOption.Number("bins", 10, 2, 1000, "intervals of the squared distances 0..4; the paper's")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.SquaredEuclidean(input);                                 // [A, R]
        var (positive, negative) = (pairs.Positives.to(d.dtype), pairs.Negatives.to(d.dtype));
        var width = 4.0 / bins;
        torch.Tensor? sum = null, runningPositive = null, running = null;
        for (var node = 0; node <= bins; node++)
        {
            var share = (1 - ((d - (node * width)).abs() / width)).relu();         // [A, R]: a triangle around the node
            var h = (share * positive).sum(1);                                     // [A]
            runningPositive = runningPositive is null ? h : runningPositive + h;
            var all = h + (share * negative).sum(1);
            running = running is null ? all : running + all;
            // Where nothing has been met yet h is zero, and so is the term.
            var term = h * runningPositive / running.clamp_min(1e-12);
            sum = sum is null ? term : sum + term;
        }
        return [LossTerms.Only(1 - (sum! / positive.sum(1).clamp_min(1)), pairs.HasPositive)];
    }
}
