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
/// <param name="share">The images that are embedded here, and how many of them at a time.</param>
internal sealed class Backpropagation(nn.Module network, Func<Tensor, Tensor> embed, MetricLoss loss, int? anchorChunk, BatchShare share)
{
    /// <summary>Adds the gradients of a batch: pixels of the own share, labels of the whole. Those of the network are the own images' part; those of the loss are whole.</summary>
    public LearntBatch Run(Tensor pixels, Tensor labels, long step = 0)
    {
        share.Begin(step);
        if (share.Parts.Count > 1) return InMicroBatches(pixels, labels);
        var features = embed(pixels);
        if (share.IsPart || anchorChunk < labels.shape[0])
        {
            var whole = share.Gather(features);
            var (value, gradient, activity) = AnchorChunks.Gradient(loss, whole, labels, anchorChunk ?? int.MaxValue);
            if (double.IsFinite(value)) share.Backward(features, share.Own(gradient));
            return new LearntBatch(value, whole.detach(), activity);
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
    private LearntBatch InMicroBatches(Tensor pixels, Tensor labels)
    {
        var randoms = new List<byte[]>();
        var features = share.Gather(FirstPass(pixels, randoms));
        var (value, gradient, activity) = AnchorChunks.Gradient(loss, features, labels, anchorChunk ?? int.MaxValue);
        if (!double.IsFinite(value)) return new LearntBatch(value, features, activity);

        var after = TorchRuntime.GetRngState();
        var own = share.Own(gradient);
        for (var i = 0; i < share.Parts.Count; i++)
        {
            using var scope = NewDisposeScope();
            var (first, count) = share.Parts[i];
            // What is dropped at random must be what the first pass dropped.
            TorchRuntime.SetRngState(randoms[i]);
            share.Backward(embed(pixels.narrow(0, first, count)), own.narrow(0, first, count));
        }
        TorchRuntime.SetRngState(after);
        return new LearntBatch(value, features, activity);
    }

    private Tensor FirstPass(Tensor pixels, List<byte[]> randoms)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        // Only the second pass is to move running statistics: they would move twice.
        var buffers = network.named_buffers().Select(entry => (Live: entry.buffer, Before: entry.buffer.clone())).ToList();
        var features = new List<Tensor>();
        foreach (var (first, count) in share.Parts)
        {
            randoms.Add(TorchRuntime.GetRngState());
            features.Add(embed(pixels.narrow(0, first, count)));
        }
        foreach (var (live, before) in buffers) live.copy_(before);
        return cat(features).MoveToOuterDisposeScope();
    }
}
