using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>How a loss's terms become one number, in place of the loss's own way.</summary>
/// <param name="Name">As recipes write it.</param>
/// <param name="Formula">On one line.</param>
/// <param name="Make">Makes it, for the images of each training class: from terms and anchor labels [A] to terms whose mean is the loss.</param>
public sealed record ReductionEntry(string Name, string Formula, Func<ReductionSettings, IReadOnlyList<int>, Func<LossTerms, torch.Tensor, LossTerms>> Make)
{
    /// <summary>The options, in the order of the documentation.</summary>
    public IReadOnlyList<LossOption> Options { get; init; } = [];
}

/// <summary>The reductions by the names that recipes give them. Each keeps sums and divisors apart, so that chunks of anchors add up.</summary>
public static class Reductions
{
    public static IReadOnlyList<ReductionEntry> All { get; } =
    [
        new("mean", "sum of the terms / their number", (_, _) => (terms, _) => terms with { NonZeroOnly = false }),
        new("mean-of-non-zero", "sum of the terms / number of those above zero", (_, _) => (terms, _) => terms with { NonZeroOnly = true }),
        new("sum", "sum of the terms", (_, _) => (terms, _) => terms with { NonZeroOnly = false, IsSum = true }),
        new("per-anchor-mean", "mean over anchors of the mean of an anchor's terms", (_, _) => PerAnchor),
        new("threshold", "mean of the terms between low and high", (settings, _) => (terms, _) => Between(terms, settings.Number("low"), settings.Number("high")))
        {
            Options =
            [
                LossOption.Number("low", 0, -1e6, 1e6, "terms up to this are passed over; with 0 they are those without gradient"),
                LossOption.Number("high", 1e6, -1e6, 1e6, "terms from this on are passed over, perhaps mislabelled; none are"),
            ],
        },
        new("class-weighted", "mean of w_y · term, y the anchor's class, w ~ n_y^-power, 1 in the mean over images", (settings, images) => Weighted(settings.Number("power"), images))
        {
            Options = [LossOption.Number("power", 1, 0, 2, "1: all classes weigh the same, however many images n they have; 0: as without")],
        },
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>The reduction of that name, or null.</summary>
    public static ReductionEntry? Find(string name) => All.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.Ordinal));

    private static LossTerms Between(LossTerms terms, double low, double high)
    {
        var values = terms.Values.detach();
        return LossTerms.Only(terms.Values, terms.Counted.logical_and(values.gt(low)).logical_and(values.lt(high))) with { Anchors = terms.Anchors };
    }

    private static LossTerms PerAnchor(LossTerms terms, torch.Tensor labels)
    {
        if (Anchors(terms, labels) is not { } anchors) return terms;
        var counted = terms.Counted.to(terms.Values.dtype);
        var (sums, counts) = terms.Values.ndim == 1 ? (terms.Values, counted) : (terms.Values.sum(1), counted.sum(1)); // [rows]
        var ofAnchors = torch.zeros([labels.shape[0]], sums.dtype, sums.device);
        var perAnchor = ofAnchors.index_add(0, anchors, sums, 1);
        var number = ofAnchors.index_add(0, anchors, counts.detach(), 1);
        return new LossTerms(perAnchor / number.clamp_min(1), number.gt(0));
    }

    private static Func<LossTerms, torch.Tensor, LossTerms> Weighted(double power, IReadOnlyList<int> images)
    {
        var raw = images.Select(count => count == 0 ? 0 : Math.Pow(count, -power)).ToArray();
        var mean = raw.Zip(images, (weight, count) => weight * count).Sum() / images.Sum();
        var weights = raw.Select(weight => weight / mean).ToArray();
        return (terms, labels) =>
        {
            if (Anchors(terms, labels) is not { } anchors) return terms;
            var ofRows = torch.tensor(weights).to(terms.Values.dtype).to(labels.device).index_select(0, labels.index_select(0, anchors));
            return terms with { Values = terms.Values * (terms.Values.ndim == 1 ? ofRows : ofRows.unsqueeze(1)), NonZeroOnly = false };
        };
    }

    /// <summary>The anchor of each row; null for a single number, which is of the batch and stays as it is.</summary>
    private static torch.Tensor? Anchors(LossTerms terms, torch.Tensor labels)
    {
        if (terms.Anchors is { } given) return given;
        if (terms.Values.shape[0] == labels.shape[0]) return torch.arange(0, labels.shape[0], 1, torch.ScalarType.Int64, labels.device);
        return terms.Values.numel() == 1 ? null
            : throw new InvalidDataException("The terms of this loss are not of single anchors, which reductions per anchor and by class need: use another reduction, or another loss.");
    }
}
