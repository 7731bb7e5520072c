using TorchSharp;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>What a batch looks like to any loss, measured over its pairs: whether there is still something to learn from.</summary>
/// <param name="ActiveFraction">Share of the counted terms (anchors, pairs or triplets) that are above 0.01, 0..1.</param>
/// <param name="PositiveSimilarity">Mean cosine similarity of the positive pairs; 0 when there are none.</param>
/// <param name="NegativeSimilarity">Mean cosine similarity of the negative pairs; 0 when there are none.</param>
public sealed record LossDiagnostics(double ActiveFraction, double PositiveSimilarity, double NegativeSimilarity)
{
    /// <summary>Measures a batch: features [B, D], labels [B] int64 and the loss's terms.</summary>
    public static LossDiagnostics Measure(torch.Tensor features, torch.Tensor labels, IReadOnlyList<LossTerms> terms)
    {
        if (features.shape[0] == 0) return new LossDiagnostics(0, 0, 0);
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var pairs = BatchPairs.Of(labels);
        var f = F.normalize(features.detach());
        var s = f.matmul(f.t());
        var active = terms.Select(kind => kind.Values.detach().gt(0.01).logical_and(kind.Counted).to(torch.ScalarType.Float32).sum()).Aggregate((a, b) => a + b);
        var counted = terms.Select(kind => kind.Counted.to(torch.ScalarType.Float32).sum()).Aggregate((a, b) => a + b);
        return new LossDiagnostics(
            (active / counted.clamp_min(1)).item<float>(),
            Share((s * pairs.Positives.to(torch.ScalarType.Float32)).sum(), pairs.Positives),
            Share((s * pairs.Negatives.to(torch.ScalarType.Float32)).sum(), pairs.Negatives));
    }

    private static double Share(torch.Tensor sum, torch.Tensor mask) =>
        (sum / mask.to(torch.ScalarType.Float32).sum().clamp_min(1)).item<float>();
}
