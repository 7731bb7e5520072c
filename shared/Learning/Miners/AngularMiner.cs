using DmlPipeline.Learning.Losses;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>Triplets whose negative sees anchor and positive far apart: the angle of the angular loss, Wang et al., ICCV 2017, arXiv 1708.01682, figure 2.</summary>
/// <remarks>
/// <code>
/// atan(|a - p| / (2 |n - c|)) > α,   c = (a + p) / 2, all of L2-normalised features
/// |n - c|² = 1 + (1 + a·p) / 2 - a·n - p·n
/// </code>
/// </remarks>
public sealed class AngularMiner(double degrees) : Miner
{
    public static MinerEntry Entry { get; } = new(
        "angular", "Wang et al., ICCV 2017, arXiv 1708.01682", "triplets: the angle at the negative, towards anchor and positive, is above α", settings => new AngularMiner(settings.Number("angle")))
    {
        Options = [LossOption.Number("angle", 20, 0, 90, "α in degrees; the peer library's")],
    };

    /// <inheritdoc />
    protected override PairSelection Choose(LossInput input, BatchPairs pairs)
    {
        var unit = input.Normalised();
        var s = Distances.Cosine(input); // [A, R]
        var tangent = Math.Tan(degrees * Math.PI / 180);
        var found = TripletSearch.Where(pairs, (a, p) =>
        {
            var toNegatives = s.index_select(0, a);                                              // [P, R]
            var toPositive = toNegatives.gather(1, p.unsqueeze(1));                              // [P, 1]
            var across = unit.References.index_select(0, p).matmul(unit.References.t());         // [P, R]
            var fromCentre = (1 + ((1 + toPositive) / 2) - toNegatives - across).clamp_min(0);   // |n - c|²
            // |a - p| > 2 tan α |n - c|, squared: nothing is divided by, and no root is taken.
            return (2 - (toPositive * 2)).clamp_min(0).gt(fromCentre * (4 * tangent * tangent));
        });
        return PairSelection.Of(found, s.shape[0], s.shape[1]);
    }
}
