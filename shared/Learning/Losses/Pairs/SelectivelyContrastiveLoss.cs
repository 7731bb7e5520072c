using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Selectively contrastive triplet loss (SCT): Xuan et al., ECCV 2020, arXiv 2007.12749.</summary>
/// <remarks>
/// <code>
/// p, n = the positive and the negative that are most alike to the anchor;   s = cosine similarity
/// s_n &gt; s_p, or s_n &gt; c:  loss(a) = λ s_n                                               only the negative is pushed away
/// otherwise:             loss(a) = -log(e^{s_p / t} / (e^{s_p / t} + e^{s_n / t}))
/// </code>
/// With a negative nearer than the positive, the triplet loss's gradient moves all three together; pushed by itself, it leaves. The ceiling c is the
/// official code's, not the paper's.
/// </remarks>
public sealed class SelectivelyContrastiveLoss(double temperature, double weight, double ceiling) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "selectively-contrastive", "Xuan et al., ECCV 2020, arXiv 2007.12749", "hard negative: λ s_n; otherwise -log(e^{s_p/t} / (e^{s_p/t} + e^{s_n/t}))",
        context => new SelectivelyContrastiveLoss(context.Number("temperature"), context.Number("weight"), context.Number("ceiling")))
    {
        Options =
        [
            LossOption.Number("temperature", 0.1, 1e-4, 100, "t; the official code's"),
            LossOption.Number("weight", 1, 0, 100, "λ of hard negatives; the official code's"),
            LossOption.Number("ceiling", 0.8, -1, 1, "c, from which on a negative is hard whatever the positive; the official code's, 1 is the paper's text"),
        ],
    };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var pairs = BatchPairs.Of(input);
        var s = Distances.Cosine(input);                                                                  // [A, R]
        var (positive, negative) = (MostAlike(s, pairs.Positives), MostAlike(s, pairs.Negatives));        // [A]
        var isHard = negative.detach().gt(positive.detach()).logical_or(negative.detach().gt(ceiling));
        return [LossTerms.Only(torch.where(isHard, negative * weight, Stable.Softplus((negative - positive) / temperature)), pairs.Counted)];
    }

    // Masked similarities stay finite: the most alike of nothing belongs to an anchor that does not count.
    private static torch.Tensor MostAlike(torch.Tensor s, torch.Tensor mask) => s.masked_fill(mask.logical_not(), -10).amax([1]);
}
