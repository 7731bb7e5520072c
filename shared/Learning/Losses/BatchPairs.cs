using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Which images of a batch belong together: the one place where pairs are made from labels.</summary>
/// <param name="Positives">[B, B] bool: same class, the image itself left out.</param>
/// <param name="Negatives">[B, B] bool: other class.</param>
/// <param name="Counted">[B] bool: the anchor has at least one positive and one negative.</param>
public readonly record struct BatchPairs(torch.Tensor Positives, torch.Tensor Negatives, torch.Tensor Counted)
{
    /// <summary>Makes the pairs of a batch from its labels ([B] int64). B must be at least one.</summary>
    public static BatchPairs Of(torch.Tensor labels)
    {
        using var noGradient = torch.no_grad();
        var count = labels.shape[0];
        var same = labels.unsqueeze(1).eq(labels.unsqueeze(0)); // [B, 1] = [1, B] -> [B, B]
        var negatives = same.logical_not();
        var self = torch.eye(count, -1, torch.ScalarType.Float32, labels.device).gt(0);
        var positives = same.logical_and(self.logical_not());
        return new BatchPairs(positives, negatives, Any(positives).logical_and(Any(negatives)));
    }

    private static torch.Tensor Any(torch.Tensor mask) => mask.to(torch.ScalarType.Float32).sum(1).gt(0);
}
