using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Histogram loss: Ustinova and Lempitsky, NIPS 2016, arXiv 1611.00822, equations 2 to 5.</summary>
/// <remarks>
/// <code>
/// h⁺, h⁻ = histograms of the cosines of positive and negative pairs on nodes t_0 = -1 … t_R = 1, each pair shared between its two nodes linearly
/// loss = sum over r of h⁻_r · (h⁺_0 + … + h⁺_r)        the probability that a random negative pair is more alike than a random positive one
/// </code>
/// </remarks>
public sealed class HistogramLoss(int bins) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "histogram", "Ustinova and Lempitsky, NIPS 2016, arXiv 1611.00822", "sum_r h⁻_r sum_{q≤r} h⁺_q", context => new HistogramLoss((int)context.Number("bins")))
    {
        Options = [LossOption.Number("bins", 100, 2, 1000, "intervals between -1 and 1; the paper's step of 0.02 or finer changed nothing there")],
    };

    /// <inheritdoc />
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);
        var (positive, negative) = (s.masked_select(pairs.Positives), s.masked_select(pairs.Negatives));
        if (positive.numel() == 0 || negative.numel() == 0) return [LossTerms.Nothing(input.Anchors)];
        var loss = (Histogram(negative) * Histogram(positive).cumsum(0)).sum().unsqueeze(0);
        return [new LossTerms(loss, torch.ones(loss.shape, torch.ScalarType.Bool, loss.device))];
    }

    /// <summary>Shares of the values [N] at each node, [R + 1].</summary>
    private torch.Tensor Histogram(torch.Tensor values)
    {
        var place = (values.clamp(-1, 1) + 1) * (bins / 2.0);                      // in units of the step, 0..R
        var below = place.detach().floor().clamp(0, bins - 1);
        var upper = place - below;                                                 // the share of the node above
        var index = below.to(torch.ScalarType.Int64);
        var empty = torch.zeros([bins + 1], values.dtype, values.device);
        return empty.scatter_add(0, index, 1 - upper).scatter_add(0, index + 1, upper) / values.shape[0];
    }
}
