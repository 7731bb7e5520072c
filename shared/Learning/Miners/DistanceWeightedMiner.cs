using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>For each positive pair a negative of the anchor drawn by distance, so that all distances are met: Wu et al., ICCV 2017, arXiv 1706.07567, section 4.</summary>
/// <remarks>
/// <code>
/// P(n | a) ~ 1 / q(max(d, cutoff)) for d &lt; farthest,   q(d) ~ d^(D - 2) (1 - d²/4)^((D - 3)/2), the density of distances on the sphere
/// </code>
/// Distances are Euclidean, of L2-normalised features. An anchor none of whose negatives is near enough has no triplet. Draws are independent.
/// </remarks>
public sealed class DistanceWeightedMiner(double cutoff, double farthest) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "distance-weighted", "Wu et al., ICCV 2017, arXiv 1706.07567", "triplets: each positive pair with a negative drawn with probability 1 / q(d)",
        settings => new DistanceWeightedMiner(settings.Number("cutoff"), settings.Number("farthest")))
    {
        Options =
        [
            LossOption.Number("cutoff", 0.5, 1e-3, 2, "nearer negatives are drawn as if this far away; the authors' code"),
            LossOption.Number("farthest", 1.4, 1e-3, 2, "farther negatives are not drawn; the authors' code"),
        ],
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var d = Distances.Euclidean(input); // [A, R]
        var (logWeight, candidates) = LogWeights(d, pairs.Negatives, input.Anchors.shape[1]);
        // The largest of log weight + Gumbel noise is a draw by weight; TripletSearch sees each positive pair once.
        var found = TripletSearch.Where(pairs, (a, _) =>
        {
            var noise = torch.rand([a.shape[0], d.shape[1]]).to(d.device).to(d.dtype).clamp(1e-12, 1 - 1e-7).log().neg().log().neg();
            var may = candidates.index_select(0, a);                                                                        // [P, R]
            var (best, place) = (logWeight.index_select(0, a) + noise).masked_fill(may.logical_not(), double.NegativeInfinity).max(1, true);
            return torch.zeros(may.shape, torch.ScalarType.Bool, d.device).scatter(1, place, best.isfinite());
        });
        return PairSelection.Of(found, d.shape[0], d.shape[1]);
    }

    /// <summary>log 1/q(d), and which references may be drawn; [A, R] each.</summary>
    internal (torch.Tensor LogWeight, torch.Tensor Candidates) LogWeights(torch.Tensor d, torch.Tensor negatives, long dimensions)
    {
        var x = d.clamp_min(cutoff);
        var logDensity = (x.log() * (dimensions - 2)) + ((1 - (x.square() / 4)).clamp_min(1e-8).log() * ((dimensions - 3) / 2.0));
        return (logDensity.neg(), negatives.logical_and(x.lt(farthest)));
    }
}
