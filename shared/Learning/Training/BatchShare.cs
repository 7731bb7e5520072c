using DmlPipeline.Learning.Data;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>
/// The images of a batch that this process of a group embeds: of each micro-batch a part, so that what is normalised together is the same in any number
/// of processes. Loss and miner see the whole batch in each of them. A process alone has it all.
/// </summary>
internal sealed class BatchShare
{
    private readonly ProcessGroup group;
    private readonly int batchSize;
    private readonly long seed;
    private byte[] common = [];

    /// <param name="group">Those that share the batches.</param>
    /// <param name="batchSize">Images of a batch.</param>
    /// <param name="microBatch">Images, of all processes together, that the network works on at a time; null for all.</param>
    /// <param name="seed">Of what the network drops at random.</param>
    /// <exception cref="InvalidDataException">There are more processes than images.</exception>
    public BatchShare(ProcessGroup group, int batchSize, int? microBatch, long seed)
    {
        (this.group, this.batchSize, this.seed) = (group, batchSize, seed);
        var (rows, parts) = (new List<int>(), new List<(long, long)>());
        var size = Math.Min(batchSize, microBatch ?? batchSize);
        for (var first = 0; first < batchSize; first += size)
        {
            var count = Math.Min(size, batchSize - first);
            if (count < group.Size)
                throw new InvalidDataException($"{count} images cannot be shared by {group.Size} processes: {(microBatch is null ? "take larger batches" : "choose a micro_batch that divides the batch")}, or fewer processes.");
            var (from, to) = (count * group.Rank / group.Size, count * (group.Rank + 1) / group.Size);
            parts.Add((rows.Count, to - from));
            rows.AddRange(Enumerable.Range(first + from, to - from));
        }
        (Rows, Parts) = ([.. rows], parts);
    }

    /// <summary>Places in the batch.</summary>
    public int[] Rows { get; }

    /// <summary>Of <see cref="Rows"/>, those that the network works on at a time.</summary>
    public IReadOnlyList<(long First, long Count)> Parts { get; }

    /// <summary>Whether the loss sees more than the features that were embedded here in one piece.</summary>
    public bool IsPart => !group.IsSolo || Parts.Count > 1;

    /// <summary>Before the network: what it drops at random is each process's own.</summary>
    public void Begin(long step)
    {
        if (group.IsSolo) return;
        common = TorchRuntime.GetRngState();
        manual_seed((long)(new CounterRandom(seed, step, group.Rank).NextBits() >> 1));
    }

    /// <summary>After it: the features of the whole batch [B, D], without graph. What the loss draws at random is the same in all processes.</summary>
    public Tensor Gather(Tensor own)
    {
        if (group.IsSolo) return own;
        using var noGradient = no_grad();
        TorchRuntime.SetRngState(common);
        // Each fills in its rows; the sum with the zeros of the others is exact.
        var all = zeros([batchSize, own.shape[1]], own.dtype, own.device).index_copy_(0, tensor(Array.ConvertAll(Rows, row => (long)row)).to(own.device), own.detach());
        group.Sum(all);
        return all;
    }

    /// <summary>The own rows of a gradient on the whole batch.</summary>
    public Tensor Own(Tensor whole) =>
        group.IsSolo ? whole : whole.index_select(0, tensor(Array.ConvertAll(Rows, row => (long)row)).to(whole.device));

    /// <summary>A pass that waits for the other processes, where there are any.</summary>
    public void Backward(Tensor features, Tensor gradient) => group.Together(() => features.backward([gradient]));
}
