using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>One loss value per anchor, before reduction.</summary>
/// <param name="Values">[B] float; zero where the anchor does not count.</param>
/// <param name="Counted">[B] bool; false where the loss is undefined, such as an anchor without a positive or without a negative.</param>
public readonly record struct AnchorLosses(torch.Tensor Values, torch.Tensor Counted)
{
    /// <summary>The mean over the anchors that count: a scalar, and zero with zero gradient when none does.</summary>
    public torch.Tensor Mean()
    {
        // A batch of nothing has no mean; the sum of no values is zero and still part of the graph.
        var sum = Values.sum();
        if (Values.shape[0] == 0) return sum;
        return sum / Counted.to(torch.ScalarType.Float32).sum().clamp_min(1);
    }
}
