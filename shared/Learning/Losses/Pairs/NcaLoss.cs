using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Neighbourhood components analysis (NCA): Goldberger et al., NIPS 2004, equations 1, 2 and 6.</summary>
/// <remarks>
/// <code>
/// p(a, k) = e^{-s d²(a, k)} / sum over all others j of e^{-s d²(a, j)}:  how likely a picks k for its neighbour,   d Euclidean on L2-normalised features
/// loss(a) = -log(sum over positives i of p(a, i))
/// </code>
/// One near positive is enough, unlike with ICE, which has a term for each. The paper maps with a matrix of any scale, and so has s = 1.
/// </remarks>
public sealed class NcaLoss(double scale) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "nca", "Goldberger et al., NIPS 2004", "-log(sum_p e^{-s d_p²} / sum_{k≠a} e^{-s d_k²})", context => new NcaLoss(context.Number("scale")))
    {
        Options = [LossOption.Number("scale", 8, 1e-3, 1e4, "s; 8 d² is 16 times the cosine, where fixed scales peak in the heated-up paper; the 2004 paper's 1 is for lengths that are free")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var logits = Distances.SquaredEuclidean(input) * (-scale * Heat);                                // [A, R]
        var (near, far) = (Stable.LogSumExp(logits, pairs.Positives), Stable.LogSumExp(logits, pairs.Negatives));
        return [LossTerms.Only(Stable.Softplus(far - near).squeeze(1), pairs.Counted)];
    }
}
