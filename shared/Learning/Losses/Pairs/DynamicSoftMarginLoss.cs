using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Triplets weighted by how hard they are among those of late: the dynamic soft margin of Zhang and Rusinkiewicz, ICCV 2019.</summary>
/// <remarks>
/// <code>
/// x = d(a, p) - d(a, n),   d Euclidean on L2-normalised features, so that x lies in -2..2
/// loss(a, p, n) = w x,   w = share of triplets of this and earlier batches that are easier: the histogram of x summed up to the interval of x
/// hardest: n the nearest negative of a or of p, as in HardNet (the paper's);   all: every negative of a
/// </code>
/// No margin is chosen: the hardest triplet weighs 1, the easiest 0. Each batch enters the histogram with a weight of its own, the first one with all of
/// it. w is a constant to the gradient.
/// </remarks>
public sealed class DynamicSoftMarginLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "dynamic-soft-margin", "Zhang and Rusinkiewicz, ICCV 2019", "w (d_p - d_n), w the share of triplets that are easier",
        context => new DynamicSoftMarginLoss(context.Choice("triplets") == "hardest", (int)context.Number("bins"), context.Number("momentum"), context.Device))
    {
        Options =
        [
            LossOption.Choice("triplets", "which negative each positive pair meets; `hardest`, as in HardNet, is the paper's, `all` the peer library's", "hardest", "all"),
            LossOption.Whole("bins", 512, 2, 100_000, "nodes of the histogram of -2..2; the authors'"),
            LossOption.Number("momentum", 0.01, 1e-6, 1, "weight of a batch in the histogram; the authors'"),
        ],
    };

    private const double Least = -2, Most = 2;

    private readonly bool hardest;
    private readonly int bins;
    private readonly double momentum;
    private readonly torch.Tensor histogram; // [bins], adds up to 1 once there was a batch

    private DynamicSoftMarginLoss(bool hardest, int bins, double momentum, torch.Device device)
    {
        (this.hardest, this.bins, this.momentum) = (hardest, bins, momentum);
        histogram = torch.zeros([bins], torch.ScalarType.Float32, device).DetachFromDisposeScope();
        Buffers = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal) { ["histogram"] = histogram };
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers { get; }

    /// <summary>The batch enters the histogram as a whole.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (Triplets(input) is not { } found) return [LossTerms.Nothing(input.Anchors)];
        return [LossTerms.Only(found.Values * Weights(found), found.Counted) with { Anchors = found.Anchors }];
    }

    /// <inheritdoc />
    public override void AfterStep(LossInput input)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        if (Triplets(input) is { } found) histogram.copy_(Mixed(found));
    }

    /// <summary>x of all triplets; null when there is none.</summary>
    private LossTerms? Triplets(LossInput input)
    {
        if (input.IsEmpty) return null;
        var pairs = BatchPairs.Of(input);
        var found = pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)).nonzero();                    // [P, 2]
        if (found.shape[0] == 0) return null;
        var d = Distances.Euclidean(input);                                                               // [B, B]
        var (anchors, positives) = (found.narrow(1, 0, 1).squeeze(1), found.narrow(1, 1, 1).squeeze(1));
        var rows = d.index_select(0, anchors);                                                            // [P, B]
        var positive = rows.gather(1, positives.unsqueeze(1));                                            // [P, 1]
        if (!hardest) return new LossTerms(positive - rows, pairs.Negatives.index_select(0, anchors)) { Anchors = anchors };
        var nearest = d.masked_fill(pairs.Negatives.logical_not(), 1e3).amin([1]);                        // [B]
        var x = positive.squeeze(1) - nearest.index_select(0, anchors).minimum(nearest.index_select(0, positives));
        return new LossTerms(x, torch.ones(x.shape, torch.ScalarType.Bool, x.device)) { Anchors = anchors };
    }

    private torch.Tensor Weights(LossTerms triplets)
    {
        using var noGradient = torch.no_grad();
        var below = Nodes(triplets.Values).floor().to(torch.ScalarType.Int64);
        return Mixed(triplets).cumsum(0).index_select(0, below.reshape(-1)).reshape(below.shape);
    }

    /// <summary>The histogram with these triplets in it, [bins].</summary>
    private torch.Tensor Mixed(LossTerms triplets)
    {
        var node = Nodes(triplets.Values.detach().masked_select(triplets.Counted));
        var (below, share) = (node.floor(), node.frac());
        var batch = torch.zeros([bins], node.dtype, node.device);
        batch.scatter_add_(0, below.to(torch.ScalarType.Int64), 1 - share);
        batch.scatter_add_(0, (below + 1).clamp_max(bins - 1).to(torch.ScalarType.Int64), share);
        var before = As(histogram, node);
        var isFirst = before.sum().eq(0).to(node.dtype);
        return (before * (1 - momentum)) + (batch / batch.sum() * (momentum + (isFirst * (1 - momentum))));
    }

    /// <summary>Where x lies among the nodes, 0..bins - 1.</summary>
    private torch.Tensor Nodes(torch.Tensor x) => ((x.detach() - Least) * ((bins - 1) / (Most - Least))).clamp(0, bins - 1);
}
