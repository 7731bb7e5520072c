using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>NT-Xent with labels: Chen et al. (SimCLR), ICML 2020, arXiv 2002.05709, equation 1; and without the positive in the denominator: Yeh et al.
/// (DCL), ECCV 2022, arXiv 2110.06848, equation 6.</summary>
/// <remarks>
/// <code>
/// nt-xent:                loss(a, p) = -log(e^{s_p / t} / (e^{s_p / t} + sum over negatives n of e^{s_n / t})),   mean over all positive pairs
/// decoupled-contrastive:  loss(a, p) = -log(e^{s_p / t} / sum over negatives n of e^{s_n / t})
/// </code>
/// ICE with scale 1/t and every pair, not every anchor, counting the same. Decoupled, a pair that is close already still learns from the negatives, and
/// the loss has no lower bound but that of the cosines.
/// </remarks>
public sealed class NtXentLoss(double temperature, bool withPositive) : MetricLoss
{
    public static IReadOnlyList<LossEntry> Entries { get; } =
    [
        Variant("nt-xent", "Chen et al., ICML 2020, arXiv 2002.05709", "-log(e^{s_p/t} / (e^{s_p/t} + sum_n e^{s_n/t}))", withPositive: true,
            0.07, "t; as in MoCo and most code that followed (SimCLR: 0.1 to 0.5)"),
        Variant("decoupled-contrastive", "Yeh et al., ECCV 2022, arXiv 2110.06848", "-log(e^{s_p/t} / sum_n e^{s_n/t})", withPositive: false, 0.1, "t; as supcon's"),
    ];

    private static LossEntry Variant(string name, string paper, string formula, bool withPositive, double temperature, string why) => new(
        name, paper, formula, context => new NtXentLoss(context.Number("temperature"), withPositive))
    {
        TakesMiner = true,
        Options = [LossOption.Number("temperature", temperature, 1e-4, 100, why)],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var logits = Distances.Cosine(input) * (Heat / temperature);             // [A, R]
        var pushed = Stable.LogSumExp(logits, pairs.Negatives);                  // [A, 1]
        var excess = pushed - logits;
        // Decoupled, an anchor of whose negatives a miner has left none would be infinitely good.
        var counted = withPositive ? pairs.Counted : pairs.Counted.logical_and(pairs.Negatives.any(1));
        return [LossTerms.Only(withPositive ? Stable.Softplus(excess) : excess, pairs.Positives.logical_and(counted.unsqueeze(1)))];
    }
}
