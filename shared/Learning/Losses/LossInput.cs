using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>What a loss compares: each anchor with all references. In a plain batch they are the same images.</summary>
/// <remarks>Apart, they let a memory of earlier batches be compared with, and let a large batch be worked off in chunks of anchors.</remarks>
/// <param name="Anchors">[A, D] features before L2 normalisation.</param>
/// <param name="AnchorLabels">[A] int64.</param>
/// <param name="References">[R, D] features before L2 normalisation.</param>
/// <param name="ReferenceLabels">[R] int64.</param>
/// <param name="SelfOffset">Anchor i is reference SelfOffset + i, and no positive of itself; null when the anchors are not among the references.</param>
public readonly record struct LossInput(
    torch.Tensor Anchors, torch.Tensor AnchorLabels, torch.Tensor References, torch.Tensor ReferenceLabels, long? SelfOffset)
{
    /// <summary>The pairs that a miner has chosen; null for all that the labels make.</summary>
    public PairSelection? Selection { get; init; }

    /// <summary>A batch compared with itself: features [B, D], labels [B].</summary>
    public static LossInput Batch(torch.Tensor features, torch.Tensor labels) => new(features, labels, features, labels, 0);

    /// <summary>Whether there is nothing to compare.</summary>
    public bool IsEmpty => Anchors.shape[0] == 0 || References.shape[0] == 0;

    /// <summary>The anchors from <paramref name="first"/> on, compared with all references.</summary>
    public LossInput Chunk(long first, long count) =>
        this with
        {
            Anchors = Anchors.narrow(0, first, count), AnchorLabels = AnchorLabels.narrow(0, first, count), SelfOffset = SelfOffset + first,
            Selection = Selection?.Chunk(first, count),
        };

    /// <summary>The same with both sides L2-normalised: cosines are inner products, and d² = 2 - 2 cos.</summary>
    public LossInput Normalised()
    {
        var anchors = torch.nn.functional.normalize(Anchors);
        return this with { Anchors = anchors, References = ReferenceEquals(Anchors, References) ? anchors : torch.nn.functional.normalize(References) };
    }
}
