using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>The terms that a loss is the mean of: one per anchor, pair or triplet.</summary>
/// <param name="Values">Floats of any shape; zero where the term does not count.</param>
/// <param name="Counted">Bools of the same shape; false where the term is undefined, such as an anchor without a positive.</param>
public readonly record struct LossTerms(torch.Tensor Values, torch.Tensor Counted)
{
    /// <summary>Whether the mean is over the terms above zero only, as the hinge losses' authors do: terms that are satisfied already do not dilute it.</summary>
    public bool NonZeroOnly { get; init; }

    /// <summary>Whether they are added up and not averaged.</summary>
    public bool IsSum { get; init; }

    /// <summary>Whether they keep features or weights in shape rather than teach; diagnostics leave them out.</summary>
    public bool IsRegulariser { get; init; }

    /// <summary>The anchor of each row, [rows] int64; null where row i is of anchor i, or where terms are not of anchors.</summary>
    public torch.Tensor? Anchors { get; init; }

    /// <summary>The mean over the terms that count: a scalar, and zero with zero gradient when none does.</summary>
    public torch.Tensor Mean()
    {
        // A batch of nothing has no mean; the sum of no values is zero and still part of the graph.
        var sum = Values.sum();
        return Values.numel() == 0 ? sum : sum / Divisor().clamp_min(1);
    }

    /// <summary>How many terms the mean is over: a scalar, for adding up chunks; zero where they are added up, which is divided by nothing.</summary>
    public torch.Tensor Divisor()
    {
        using var noGradient = torch.no_grad();
        if (IsSum) return torch.zeros([1], Values.dtype, Values.device).sum();
        var counted = NonZeroOnly ? Values.detach().gt(0) : Counted;
        return counted.to(Values.dtype).sum();
    }

    /// <summary>Every term so many times.</summary>
    public LossTerms Times(double weight) => weight == 1 ? this : this with { Values = Values * weight };

    /// <summary>Zeroes the terms that do not count, and their gradient.</summary>
    public static LossTerms Only(torch.Tensor values, torch.Tensor counted, bool nonZeroOnly = false) =>
        // Not a product: what is undefined may be infinite, and 0 · inf is NaN.
        new(values.masked_fill(counted.logical_not(), 0), counted) { NonZeroOnly = nonZeroOnly };

    /// <summary>No terms, and a zero that is still part of the features' graph.</summary>
    public static LossTerms Nothing(torch.Tensor features)
    {
        var zero = features.sum(1) * 0;
        return new LossTerms(zero, torch.zeros(zero.shape, torch.ScalarType.Bool, features.device));
    }
}
