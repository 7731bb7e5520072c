using DmlPipeline.Learning.Losses;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>What a step has found out about its batch; gradients are at network and loss.</summary>
/// <param name="Loss">Not finite: gradients are not there, or not to be used.</param>
/// <param name="Features">[B, D], without graph.</param>
/// <param name="Activity">Of the loss's terms.</param>
internal sealed record LearntBatch(double Loss, Tensor Features, LossActivity Activity);

/// <summary>From a batch to the gradients of network and loss, in the memory that there is.</summary>
/// <param name="network">Whose buffers, such as running statistics, a pass changes.</param>
/// <param name="embed">The network's pass, from pixels [n, …] to features [n, D].</param>
/// <param name="loss">What is minimised.</param>
/// <param name="anchorChunk">Anchors compared at a time; null for all.</param>
/// <param name="microBatch">Images embedded at a time; null for all.</param>
internal sealed class Backpropagation(nn.Module network, Func<Tensor, Tensor> embed, MetricLoss loss, int? anchorChunk, int? microBatch)
{
    /// <summary>Adds the gradients of a batch.</summary>
    public LearntBatch Run(Tensor pixels, Tensor labels)
    {
        var count = labels.shape[0];
        if (microBatch is { } size && size < count) return InMicroBatches(pixels, labels, size);
        var features = embed(pixels);
        if (anchorChunk is { } chunk && chunk < count)
        {
            var (value, gradient, activity) = AnchorChunks.Gradient(loss, features, labels, chunk);
            if (double.IsFinite(value)) features.backward([gradient]);
            return new LearntBatch(value, features.detach(), activity);
        }
        var terms = loss.Terms(LossInput.Batch(features, labels));
        var mean = MetricLoss.Sum(terms);
        var learnt = new LearntBatch(mean.to(ScalarType.Float64).item<double>(), features.detach(), LossDiagnostics.Activity(terms));
        if (double.IsFinite(learnt.Loss)) mean.backward();
        return learnt;
    }

    /// <summary>
    /// Gradient caching (Gao et al., RepL4NLP 2021, arXiv 2101.06983): all features first, without graph; the loss's gradient on them; then each
    /// micro-batch again, with graph, and its part of that gradient through it.
    /// </summary>
    private LearntBatch InMicroBatches(Tensor pixels, Tensor labels, int size)
    {
        var parts = Enumerable.Range(0, (int)((labels.shape[0] + size - 1) / size)).Select(i => (First: (long)i * size, Count: Math.Min(size, labels.shape[0] - ((long)i * size)))).ToList();
        var randoms = new List<byte[]>();
        var features = FirstPass(pixels, parts, randoms);
        var (value, gradient, activity) = AnchorChunks.Gradient(loss, features, labels, anchorChunk ?? int.MaxValue);
        if (!double.IsFinite(value)) return new LearntBatch(value, features, activity);

        var after = TorchRuntime.GetRngState();
        for (var i = 0; i < parts.Count; i++)
        {
            using var scope = NewDisposeScope();
            // What is dropped at random must be what the first pass dropped.
            TorchRuntime.SetRngState(randoms[i]);
            embed(pixels.narrow(0, parts[i].First, parts[i].Count)).backward([gradient.narrow(0, parts[i].First, parts[i].Count)]);
        }
        TorchRuntime.SetRngState(after);
        return new LearntBatch(value, features, activity);
    }

    private Tensor FirstPass(Tensor pixels, List<(long First, long Count)> parts, List<byte[]> randoms)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        // Only the second pass is to move running statistics: they would move twice.
        var buffers = network.named_buffers().Select(entry => (Live: entry.buffer, Before: entry.buffer.clone())).ToList();
        var features = new List<Tensor>();
        foreach (var (first, count) in parts)
        {
            randoms.Add(TorchRuntime.GetRngState());
            features.Add(embed(pixels.narrow(0, first, count)));
        }
        foreach (var (live, before) in buffers) live.copy_(before);
        return cat(features).MoveToOuterDisposeScope();
    }
}
