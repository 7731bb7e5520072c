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
    public static LossDiagnostics Measure(torch.Tensor features, torch.Tensor labels, IReadOnlyList<LossTerms> terms) => Measure(features, labels, Activity(terms));

    /// <summary>Measures a batch whose terms were counted before, as its chunks came and went.</summary>
    public static LossDiagnostics Measure(torch.Tensor features, torch.Tensor labels, LossActivity activity)
    {
        if (features.shape[0] == 0) return new LossDiagnostics(0, 0, 0);
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var f = F.normalize(features.detach()).to(torch.ScalarType.Float64);
        var (classes, classOf, counts) = labels.unique(true, true, true);
        var sums = torch.zeros([classes.shape[0], f.shape[1]], torch.ScalarType.Float64, f.device).index_add_(0, classOf!, f, 1);

        // Cosines of all pairs add up to the square of the sum of features, |sum f|²; those within a class likewise. No matrix of pairs is needed.
        var all = f.sum(0L).square().sum().item<double>(); // a plain 0 would be taken for a type
        var within = sums.square().sum().item<double>();
        var themselves = f.square().sum().item<double>();
        var count = (double)f.shape[0];
        var pairsWithin = counts!.square().sum().item<long>();
        return new LossDiagnostics(
            activity.Fraction, (within - themselves) / Math.Max(1, pairsWithin - count), (all - within) / Math.Max(1, (count * count) - pairsWithin));
    }

    /// <summary>Counts the terms of a loss; what regularises does not tell whether there is something to learn.</summary>
    public static LossActivity Activity(IReadOnlyList<LossTerms> terms)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var (active, counted) = (0L, 0L);
        foreach (var kind in terms.Where(kind => !kind.IsRegulariser))
        {
            active += kind.Values.detach().gt(0.01).logical_and(kind.Counted).sum().item<long>();
            counted += kind.Counted.sum().item<long>();
        }
        return new LossActivity(active, counted);
    }
}

/// <summary>How many terms count, and how many of them are above 0.01.</summary>
public sealed record LossActivity(long Active, long Counted)
{
    /// <summary>0 when none counts.</summary>
    public double Fraction => Counted == 0 ? 0 : (double)Active / Counted;

    /// <summary>Two chunks together.</summary>
    public LossActivity And(LossActivity other) => new(Active + other.Active, Counted + other.Counted);
}
