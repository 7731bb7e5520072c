using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>
/// The loss of a large batch and its exact gradient, worked off in chunks of anchors: pair matrices are chunk × batch, not batch × batch.
/// The features are cut off from the network first, so that each chunk's graph is freed before the next one is built.
/// </summary>
internal static class AnchorChunks
{
    /// <summary>Adds the gradient of the loss to the network and to the loss's own weights; returns the loss.</summary>
    /// <param name="loss">A sum over anchors.</param>
    /// <param name="features">[B, D], still in the graph of the network.</param>
    /// <param name="labels">[B].</param>
    /// <param name="chunk">Anchors at a time.</param>
    public static double Backward(MetricLoss loss, torch.Tensor features, torch.Tensor labels, int chunk)
    {
        using var scope = torch.NewDisposeScope();
        var (value, gradient, _) = Gradient(loss, features, labels, chunk);
        features.backward([gradient]);
        return value;
    }

    /// <summary>The loss, its gradient on the features [B, D], and what its terms tell; the gradient on the loss's own weights is added to them.</summary>
    /// <param name="loss">A sum over anchors, or any loss where the chunk holds them all.</param>
    /// <param name="features">[B, D]; their graph is not touched.</param>
    /// <param name="labels">[B].</param>
    /// <param name="chunk">Anchors at a time.</param>
    public static (double Loss, torch.Tensor Gradient, LossActivity Activity) Gradient(MetricLoss loss, torch.Tensor features, torch.Tensor labels, int chunk)
    {
        using var cut = features.detach().requires_grad_();
        var input = LossInput.Batch(cut, labels);
        double[]? divisors = null;
        if (chunk < labels.shape[0])
        {
            // A mean over the terms above zero has to know all of them before its first gradient. Losses that draw must draw the same twice.
            var random = TorchRuntime.GetRngState();
            divisors = Divisors(loss, input, chunk);
            TorchRuntime.SetRngState(random);
        }

        var (total, activity) = (0.0, new LossActivity(0, 0));
        foreach (var part in Chunks(input, chunk))
        {
            using var scope = torch.NewDisposeScope();
            var terms = loss.Terms(part);
            var sum = divisors is null ? MetricLoss.Sum(terms) : terms.Select((kind, k) => kind.Values.sum() / divisors[k]).Aggregate((a, b) => a + b);
            total += sum.to(torch.ScalarType.Float64).item<double>();
            activity = activity.And(LossDiagnostics.Activity(terms));
            sum.backward();
        }
        return (total, cut.grad!, activity);
    }

    private static double[] Divisors(MetricLoss loss, LossInput input, int chunk)
    {
        using var noGradient = torch.no_grad();
        double[]? divisors = null;
        foreach (var part in Chunks(input, chunk))
        {
            using var scope = torch.NewDisposeScope();
            var counts = loss.Terms(part).Select(kind => kind.Divisor().to(torch.ScalarType.Float64).item<double>()).ToArray();
            divisors = divisors is null ? counts : [.. divisors.Zip(counts, (a, b) => a + b)];
        }
        return [.. divisors!.Select(divisor => Math.Max(1, divisor))];
    }

    private static IEnumerable<LossInput> Chunks(LossInput input, int chunk)
    {
        var count = input.Anchors.shape[0];
        for (var first = 0L; first < count; first += chunk) yield return input.Chunk(first, Math.Min(chunk, count - first));
    }
}
