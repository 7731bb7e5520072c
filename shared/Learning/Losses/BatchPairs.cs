using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Which references belong to which anchors: the one place where pairs are made, from labels or by a miner.</summary>
/// <param name="Positives">[A, R] bool: same class, the image itself left out.</param>
/// <param name="Negatives">[A, R] bool: other class.</param>
/// <param name="Counted">[A] bool: the anchor has at least one positive and one negative.</param>
public readonly record struct BatchPairs(torch.Tensor Positives, torch.Tensor Negatives, torch.Tensor Counted)
{
    /// <summary>Makes the pairs of a batch with itself from its labels ([B] int64). B must be at least one.</summary>
    public static BatchPairs Of(torch.Tensor labels) => Of(labels, labels, 0);

    /// <summary>Makes the pairs of anchors and references; with a selection they are those that it holds.</summary>
    public static BatchPairs Of(LossInput input)
    {
        var all = OfLabels(input);
        // An anchor whose pairs were all passed over still counts: it has nothing left to learn, and its zero belongs to the mean.
        return input.Selection is { } chosen ? all with { Positives = chosen.Positives, Negatives = chosen.Negatives } : all;
    }

    /// <summary>Makes all pairs of anchors and references, whatever has been selected.</summary>
    public static BatchPairs OfLabels(LossInput input) => Of(input.AnchorLabels, input.ReferenceLabels, input.SelfOffset);

    private static BatchPairs Of(torch.Tensor anchors, torch.Tensor references, long? selfOffset)
    {
        using var noGradient = torch.no_grad();
        var same = anchors.unsqueeze(1).eq(references.unsqueeze(0)); // [A, 1] = [1, R] -> [A, R]
        var negatives = same.logical_not();
        var positives = same;
        if (selfOffset is { } offset)
        {
            var columns = torch.arange(0, references.shape[0], 1, torch.ScalarType.Int64, references.device);
            var own = torch.arange(offset, offset + anchors.shape[0], 1, torch.ScalarType.Int64, references.device);
            positives = same.logical_and(columns.unsqueeze(0).ne(own.unsqueeze(1)));
        }
        return new BatchPairs(positives, negatives, Any(positives).logical_and(Any(negatives)));
    }

    /// <summary>[A] bool: the anchors with at least one positive.</summary>
    public torch.Tensor HasPositive => Any(Positives);

    private static torch.Tensor Any(torch.Tensor mask) => mask.to(torch.ScalarType.Float32).sum(1).gt(0);
}
