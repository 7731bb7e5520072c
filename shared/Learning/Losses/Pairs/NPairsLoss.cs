using TorchSharp;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>N-pair loss (N-pair-mc): Sohn, NIPS 2016, equation 5.</summary>
/// <remarks>
/// <code>
/// one anchor f_i and one positive f_i⁺ of each class i of the batch (its first two images):
/// loss(i) = log(1 + sum over j ≠ i of e^{f_i·f_j⁺ - f_i·f_i⁺})  +  λ (|f_i|² + |f_i⁺|²) / 2
/// </code>
/// Inner products are of the features as they are: the regulariser keeps their norms bounded (section 3.2.2).
/// </remarks>
public sealed class NPairsLoss(double regularisation) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "n-pairs", "Sohn, NIPS 2016", "log(1 + sum_{j≠i} e^{f_i·f_j⁺ - f_i·f_i⁺}) + λ/2 (|f|² + |f⁺|²)", context => new NPairsLoss(context.Number("regularisation")))
    {
        Options = [LossOption.Number("regularisation", 0.002, 0, 10, "λ of the squared norms; without it, norms grow without end")],
    };

    /// <inheritdoc />
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (anchors, positives) = FirstTwoOfEachClass(input.AnchorLabels);
        if (anchors.Length < 2) return [LossTerms.Nothing(input.Anchors)];
        var a = input.Anchors.index_select(0, torch.tensor(anchors).to(input.Anchors.device));   // [C, D]
        var p = input.Anchors.index_select(0, torch.tensor(positives).to(input.Anchors.device)); // [C, D]
        var logits = a.matmul(p.t());                                                            // [C, C], the right one on the diagonal
        var loss = F.log_softmax(logits, 1).diagonal().neg();
        var norms = (a.square().sum(1) + p.square().sum(1)) * (regularisation / 2);
        return [new LossTerms(loss + norms, torch.ones(loss.shape, torch.ScalarType.Bool, loss.device))];
    }

    private static (long[] Anchors, long[] Positives) FirstTwoOfEachClass(torch.Tensor labels)
    {
        using var onCpu = labels.cpu();
        var two = onCpu.data<long>().ToArray().Select((label, index) => (label, index)).GroupBy(image => image.label).Where(images => images.Count() > 1)
            .Select(images => images.Take(2).Select(image => (long)image.index).ToArray()).ToList();
        return ([.. two.Select(images => images[0])], [.. two.Select(images => images[1])]);
    }
}
