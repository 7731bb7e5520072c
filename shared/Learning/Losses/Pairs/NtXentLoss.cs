using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>NT-Xent with labels: Chen et al. (SimCLR), ICML 2020, arXiv 2002.05709, equation 1.</summary>
/// <remarks>
/// <code>
/// loss(a, p) = -log(e^{s_p / t} / (e^{s_p / t} + sum over negatives n of e^{s_n / t})),   mean over all positive pairs
/// </code>
/// ICE with scale 1/t and every pair, not every anchor, counting the same.
/// </remarks>
public sealed class NtXentLoss(double temperature) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "nt-xent", "Chen et al., ICML 2020, arXiv 2002.05709", "-log(e^{s_p/t} / (e^{s_p/t} + sum_n e^{s_n/t}))", context => new NtXentLoss(context.Number("temperature")))
    {
        TakesMiner = true,
        Options = [LossOption.Number("temperature", 0.07, 1e-4, 100, "t; as in MoCo and most code that followed (SimCLR: 0.1 to 0.5)")],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var logits = Distances.Cosine(input) * (Heat / temperature);             // [A, R]
        var pushed = Stable.LogSumExp(logits, pairs.Negatives);                  // [A, 1]
        return [LossTerms.Only(Stable.Softplus(pushed - logits), pairs.Positives.logical_and(pairs.Counted.unsqueeze(1)))];
    }
}
