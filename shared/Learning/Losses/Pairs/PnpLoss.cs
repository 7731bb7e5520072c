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
        var found = pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)).nonzero();                    // [P, 2]
        var own = SelfTerm(s, pairs);                                                                     // [A]
        if (found.shape[0] == 0) return [LossTerms.Only(own * 0, pairs.Counted)];
        var anchors = found.narrow(1, 0, 1).squeeze(1);
        var rows = s.index_select(0, anchors);                                                            // [P, R]
        var before = Before(rows, rows.gather(1, found.narrow(1, 1, 1)), pairs.Negatives.index_select(0, anchors));
        var sum = torch.zeros([s.shape[0]], s.dtype, s.device).scatter_add(0, anchors, Penalty(before)) + own;
        return [LossTerms.Only(sum / (pairs.Positives.to(s.dtype).sum(1) + 1), pairs.Counted)];
    }

    private torch.Tensor SelfTerm(torch.Tensor s, BatchPairs pairs) =>
        Penalty(Before(s, torch.ones([s.shape[0], 1], s.dtype, s.device), pairs.Negatives));

    private torch.Tensor Before(torch.Tensor rows, torch.Tensor positive, torch.Tensor negatives) =>
        (((rows - positive) / temperature).sigmoid() * negatives.to(rows.dtype)).sum(1);

    private torch.Tensor Penalty(torch.Tensor n) => variant switch
    {
        "iu" => (1 + n) * (1 + n).log(),
        "ib" => ((n * b) - (1 + (n * b)).log()) / (b * b),
        "ds" => (1 + n).log(),
        "dq" => 1 - (1 + n).pow(-alpha),
        _ => n,
    };
}
