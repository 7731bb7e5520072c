using DmlPipeline.Learning.Losses;
using TorchSharp;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Regularisers;

/// <summary>What keeps class weights in shape: of like length, far from each other, few for each class.</summary>
public static class ClassWeightRegularisers
{
    // Classes whose nearest class is searched at a time.
    private const long RowsAtATime = 1024;

    public static IReadOnlyList<RegulariserEntry> Entries { get; } =
    [
        new("centre-invariant", "Wu et al., 2017 (centre invariant loss)", "mean (|w|² - mean |w|²)² / 4", (1, "the peer library's")) { OfClassWeights = (_, weights, _) => PerWeight(CentreInvariant(weights)) },
        new("regular-face", "Zhao et al., CVPR 2019", "mean of each class's largest cosine to another class", (1, "the peer library's")) { OfClassWeights = (_, weights, perClass) => PerWeight(RegularFace(weights, perClass)) },
        new("sparse-centres", "Qian et al., ICCV 2019, arXiv 1909.05235, equation 9", "1 / (M K (K - 1)) sum over classes and pairs of their K centres of |w_k - w_l|", (0.2, "τ; the paper's"))
        {
            OfClassWeights = (_, weights, perClass) => SparseCentres(weights, perClass),
            NeedsCentres = true,
        },
    ];

    /// <summary>(|w|² - the mean of |w|²)² / 4 of each row, [N, D] -> [N].</summary>
    public static torch.Tensor CentreInvariant(torch.Tensor weights)
    {
        var squared = weights.square().sum(1);
        return (squared - squared.mean()).square() / 4;
    }

    /// <summary>The cosine of each row to the nearest row of another class, [M · K, D] -> [M · K]; of K = 1 row each, to the nearest row. Which is nearest is a constant to
    /// the gradient.</summary>
    public static torch.Tensor RegularFace(torch.Tensor weights, int perClass = 1)
    {
        var count = weights.shape[0];
        // One class has no other.
        if (count <= perClass) return weights.sum(1) * 0;
        var unit = F.normalize(weights);
        var nearest = new List<torch.Tensor>();
        for (var first = 0L; first < count; first += RowsAtATime)
        {
            using var noGradient = torch.no_grad();
            using var scope = torch.NewDisposeScope();
            var rows = Math.Min(RowsAtATime, count - first);
            var classOf = torch.arange(0, count, 1, torch.ScalarType.Int64, weights.device).div(perClass, torch.RoundingMode.floor);
            var own = classOf.narrow(0, first, rows).unsqueeze(1).eq(classOf.unsqueeze(0));
            nearest.Add(unit.narrow(0, first, rows).matmul(unit.t()).masked_fill(own, -2).argmax(1).MoveToOuterDisposeScope());
        }
        return (unit * unit.index_select(0, torch.cat(nearest))).sum(1);
    }

    /// <summary>The mean over classes of the sum over pairs of a class's K centres of |w_k - w_l| / (K (K - 1)), centres normalised here; each pair once. [M · K, D] -> one term.</summary>
    public static LossTerms SparseCentres(torch.Tensor centres, int perClass)
    {
        if (perClass < 2) return LossTerms.Nothing(centres);
        var unit = F.normalize(centres).reshape(-1, perClass, centres.shape[1]);                                  // [M, K, D]
        var distance = Stable.Sqrt((2 - (unit.bmm(unit.transpose(1, 2)) * 2)).clamp_min(0));                      // [M, K, K]; the diagonal is zero
        // The matrix holds each pair twice, the sum once.
        var spread = distance.sum() / (2 * unit.shape[0] * perClass * (perClass - 1.0));
        return new LossTerms(spread.unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, centres.device));
    }

    private static LossTerms PerWeight(torch.Tensor values) => new(values, torch.ones(values.shape, torch.ScalarType.Bool, values.device));
}
