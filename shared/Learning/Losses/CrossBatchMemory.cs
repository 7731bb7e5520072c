using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Cross-batch memory: the features of the last batches, as further references that every anchor is compared with. Wang et al., CVPR 2020, arXiv 1912.06798.</summary>
/// <remarks>
/// Features drift slowly once training has begun, so that those of some steps ago still serve. They are constants: gradient goes to the anchors, and to the
/// images of the batch as references of each other, as without a memory. The paper's memory holds the batch itself too, so the pairs are the same.
/// </remarks>
public sealed class CrossBatchMemory
{
    private readonly torch.Tensor features; // [N, D]
    private readonly torch.Tensor labels;   // [N] int64
    private readonly torch.Tensor enqueued; // [1] int64, images ever taken in
    private readonly double start;

    /// <summary>Makes an empty memory.</summary>
    /// <param name="size">Images that it holds, N; the oldest go first.</param>
    /// <param name="dimensions">D.</param>
    /// <param name="start">Share of the run, 0..1, from which on it is compared with.</param>
    /// <param name="device">Where it lies.</param>
    public CrossBatchMemory(int size, int dimensions, double start, torch.Device device)
    {
        this.start = start;
        features = torch.zeros([size, dimensions], torch.ScalarType.Float32, device).DetachFromDisposeScope();
        labels = torch.zeros([size], torch.ScalarType.Int64, device).DetachFromDisposeScope();
        enqueued = torch.zeros([1], torch.ScalarType.Int64).DetachFromDisposeScope();
        Buffers = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal)
        {
            ["memory.features"] = features, ["memory.labels"] = labels, ["memory.enqueued"] = enqueued,
        };
    }

    /// <summary>What a checkpoint keeps; whoever holds the memory frees it.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> Buffers { get; }

    /// <summary>The anchors compared with the memory too, once the run is far enough (<paramref name="progress"/>, 0..1).</summary>
    public LossInput Extend(LossInput input, double progress)
    {
        var held = Math.Min(enqueued.item<long>(), labels.shape[0]);
        if (progress < start || held == 0) return input;
        return input with
        {
            References = torch.cat([input.References, features.narrow(0, 0, held).to(input.References.dtype)]),
            ReferenceLabels = torch.cat([input.ReferenceLabels, labels.narrow(0, 0, held)]),
        };
    }

    /// <summary>Takes in a batch, features [B, D] and labels [B], in the place of the oldest images.</summary>
    public void Enqueue(torch.Tensor batch, torch.Tensor batchLabels)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var (size, count, before) = (labels.shape[0], batchLabels.shape[0], enqueued.item<long>());
        // Of a batch that is larger than the memory, its last images.
        var kept = Math.Min(size, count);
        var places = torch.arange(before + count - kept, before + count, 1, torch.ScalarType.Int64, labels.device).remainder(size);
        features.index_copy_(0, places, batch.detach().narrow(0, count - kept, kept).to(torch.ScalarType.Float32));
        labels.index_copy_(0, places, batchLabels.narrow(0, count - kept, kept));
        enqueued.add_(count);
    }
}
