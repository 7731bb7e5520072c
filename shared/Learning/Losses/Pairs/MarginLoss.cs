using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Losses;

/// <summary>Margin loss with a learned boundary: Wu et al., ICCV 2017, arXiv 1706.07567, equations 4 and 8.</summary>
/// <remarks>
/// <code>
/// positive pair: max(0, m + d - β_y)     negative pair: max(0, m + β_y - d)     + ν β_y,   d Euclidean on L2-normalised features, y the anchor's class
/// </code>
/// The mean is over the pairs above zero. With <c>sampling: distance-weighted</c> each positive pair is met by one negative of the anchor, drawn with
/// probability 1 / q(d), the inverse density of distances on the sphere (section 4), so that all distances are seen; with <c>all</c>, by every one.
/// </remarks>
public sealed class MarginLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "margin", "Wu et al., ICCV 2017, arXiv 1706.07567", "max(0, m + d_p - β) + max(0, m + β - d_n)",
        context => new MarginLoss(
            context.Classes, context.Number("margin"), context.Number("beta"), context.Number("nu"), context.Choice("sampling") == "distance-weighted", context.Device))
    {
        TakesMiner = true,
        Options =
        [
            LossOption.Number("margin", 0.2, 0, 2, "m; the paper's"),
            LossOption.Number("beta", 1.2, 0, 2, "where the boundary of each class begins; the paper's"),
            LossOption.Number("nu", 0, 0, 100, "ν, what draws boundaries in; the paper's 0"),
            LossOption.Choice("sampling", "which negatives count, unless a miner chooses", "distance-weighted", "all"),
        ],
    };

    private const double Nearest = 0.5, Farthest = 1.4;

    private readonly Parameter boundaries; // [M]
    private readonly double margin, nu;
    private readonly bool weighsDistances;

    /// <summary>Makes a boundary for each class, all alike.</summary>
    public MarginLoss(int classes, double margin, double beta, double nu, bool weighsDistances, torch.Device device)
    {
        (this.margin, this.nu, this.weighsDistances) = (margin, nu, weighsDistances);
        boundaries = Kept(torch.full([classes], beta), device);
        Parameters = new Dictionary<string, Parameter>(StringComparer.Ordinal) { ["boundaries"] = boundaries };
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var d = Distances.Euclidean(input);                                                          // [A, R]
        var beta = boundaries.index_select(0, input.AnchorLabels).unsqueeze(1).to(d.dtype);          // [A, 1]
        var negatives = weighsDistances && input.Selection is null ? Drawn(d, pairs, input.Anchors.shape[1]) : pairs.Negatives;
        var loss = ((pairs.Positives.to(d.dtype) * (d - beta)) + (negatives.to(d.dtype) * (beta - d)) + margin).relu();
        var terms = LossTerms.Only(loss, pairs.Positives.logical_or(negatives), nonZeroOnly: true);
        if (nu == 0) return [terms];
        return [terms, new LossTerms(beta.squeeze(1) * nu, torch.ones([d.shape[0]], torch.ScalarType.Bool, d.device))];
    }

    /// <summary>As many negatives of each anchor as it has positives, drawn without replacement by their inverse density.</summary>
    private static torch.Tensor Drawn(torch.Tensor d, BatchPairs pairs, long dimensions)
    {
        using var noGradient = torch.no_grad();
        // log q(d) = (D - 2) log d + (D - 3)/2 log(1 - d²/4); nearer ones would get all the weight, and are counted as that near.
        var x = d.detach().clamp_min(Nearest);
        var logDensity = (x.log() * (dimensions - 2)) + ((1 - (x.square() / 4)).clamp_min(1e-8).log() * ((dimensions - 3) / 2.0));
        // The authors' code leaves out negatives beyond 1.4, which are far enough already.
        var candidates = pairs.Negatives.logical_and(x.lt(Farthest));
        // Adding Gumbel noise to log weights and taking the largest draws without replacement.
        var gumbel = torch.rand(d.shape).to(d.device).to(d.dtype).clamp(1e-12, 1 - 1e-7).log().neg().log().neg();
        var score = (gumbel - logDensity).masked_fill(candidates.logical_not(), -1e9);
        var wanted = pairs.Positives.to(d.dtype).sum(1).unsqueeze(1);                                // [A, 1]
        var rank = score.argsort(1, descending: true).argsort(1).to(d.dtype);                        // [A, R]
        return candidates.logical_and(rank.lt(wanted));
    }
}
