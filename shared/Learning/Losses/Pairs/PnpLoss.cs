using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>PNP (penalising negative instances before positive ones): Li et al., AAAI 2022, arXiv 2102.04640, equations 5 to 11.</summary>
/// <remarks>
/// <code>
/// n(p) = sum over negatives k of sigmoid((s_k - s_p) / t):  how many negatives stand before the positive p
/// loss(a) = mean over positives p, the anchor itself among them, of g(n(p))
/// o: n    iu: (1 + n) log(1 + n)    ib: (b n - log(1 + b n)) / b²    ds: log(1 + n)    dq: 1 - (1 + n)^-α
/// </code>
/// </remarks>
public sealed class PnpLoss(string variant, double temperature, double b, double alpha) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "pnp", "Li et al., AAAI 2022, arXiv 2102.04640", "mean_p g(sum_n σ((s_n - s_p)/t))",
        context => new PnpLoss(context.Choice("variant"), context.Number("temperature"), context.Number("b"), context.Number("alpha")))
    {
        Options =
        [
            LossOption.Choice("variant", "g; with dq, the paper's best, a positive behind many negatives is given up rather than pulled hardest", "dq", "ds", "o", "iu", "ib"),
            LossOption.Number("temperature", 0.01, 1e-4, 10, "t of the sigmoid; the paper's"),
            LossOption.Number("b", 2, 1e-3, 100, "b of ib; the paper's"),
            LossOption.Number("alpha", 4, 1e-3, 100, "α of dq; the paper's best on SOP"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);                                                                  // [A, R]
        // The anchor counts as a positive of itself, at the similarity 1.
        var own = Penalty((((s - 1) / temperature).sigmoid() * pairs.Negatives.to(s.dtype)).sum(1));      // [A]
        if (PositiveRanks.Of(s, pairs, temperature) is not { } ranks) return [LossTerms.Only(own * 0, pairs.Counted)];
        var sum = ranks.PerAnchor(Penalty((ranks.Ahead * ranks.Negatives).sum(1)), s.shape[0]) + own;
        return [LossTerms.Only(sum / (pairs.Positives.to(s.dtype).sum(1) + 1), pairs.Counted)];
    }

    private torch.Tensor Penalty(torch.Tensor n) => variant switch
    {
        "iu" => (1 + n) * (1 + n).log(),
        "ib" => ((n * b) - (1 + (n * b)).log()) / (b * b),
        "ds" => (1 + n).log(),
        "dq" => 1 - (1 + n).pow(-alpha),
        _ => n,
    };
}
