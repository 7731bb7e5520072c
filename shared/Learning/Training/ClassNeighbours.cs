using DmlPipeline.Learning.Data;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Training;

/// <summary>
/// Which classes the network confuses, for <see cref="SmartMiningSampler"/>: the nearest mean embeddings of the epoch before. The means are of what the steps
/// embedded anyway, so that mining costs no pass over the images.
/// </summary>
internal sealed class ClassNeighbours : IDisposable
{
    // Nearest classes that a class keeps for each that it may bring along: some of them will have dealt out all their images.
    private const int Spare = 4, RowsAtATime = 1024;

    private readonly Tensor sums;  // [C, D], of L2-normalised features of the epoch so far
    private readonly Tensor table; // [C, N] int64, nearest first; -1 before the first epoch has ended

    public ClassNeighbours(int classes, int dimensions, int neighbours, Device device)
    {
        sums = zeros([classes, dimensions], ScalarType.Float32, device).DetachFromDisposeScope();
        table = full([classes, Math.Min(classes - 1, neighbours * Spare)], -1, ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>What a checkpoint keeps.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["sums"] = sums, ["table"] = table };

    /// <summary>Takes in a step's features [B, D] and labels [B].</summary>
    public void Add(Tensor features, Tensor labels)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        sums.index_add_(0, labels, F.normalize(features.detach()).to(ScalarType.Float32), 1);
    }

    /// <summary>Ends an epoch: finds every class's neighbours and begins new means.</summary>
    /// <param name="group">Those who are to draw the same batches: rank 0's neighbours are everyone's.</param>
    public void Refresh(ProcessGroup group)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var means = F.normalize(sums);
        var count = means.shape[0];
        for (var first = 0L; first < count; first += RowsAtATime)
        {
            using var inner = NewDisposeScope();
            var rows = Math.Min(RowsAtATime, count - first);
            var cosine = means.narrow(0, first, rows).matmul(means.t());                              // [rows, C]
            cosine.narrow(1, first, rows).add_(eye(rows).to(means.device) * -4);                       // no class is its own neighbour
            table.narrow(0, first, rows).copy_(cosine.topk((int)table.shape[1], 1).indexes);
        }
        group.Broadcast(table);
        sums.zero_();
    }

    /// <summary>Hands the neighbours to the sampler, once there are any.</summary>
    public void TellTo(SmartMiningSampler sampler)
    {
        var width = (int)table.shape[1];
        var flat = table.data<long>().ToArray();
        if (flat.Length > 0 && flat[0] >= 0) sampler.Tell([.. flat.Chunk(width).Select(row => row.Select(c => (int)c).ToArray())]);
    }

    public void Dispose()
    {
        sums.Dispose();
        table.Dispose();
    }
}
