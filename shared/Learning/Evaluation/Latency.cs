using System.Diagnostics;
using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>How long the embedding of a single image takes.</summary>
public static class Latency
{
    private const int WarmUps = 3;
    private const int Measured = 15;

    /// <summary>The median in milliseconds, from pixels in memory to the embedding in memory, on the device that the model is on.</summary>
    public static double Of(EmbeddingModel model, CancellationToken cancel)
    {
        using var inference = inference_mode();
        var device = model.parameters().First().device;
        var times = new List<double>(Measured);
        for (var i = 0; i < WarmUps + Measured; i++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var pixels = zeros([1, model.Spec.Input.Channels, model.Spec.Input.Height, model.Spec.Input.Width], ScalarType.Byte);
            var begun = Stopwatch.GetTimestamp();
            // What comes back to the CPU has been computed, also where a device works by itself.
            _ = model.call(pixels.to(device)).cpu().contiguous();
            if (i >= WarmUps) times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        times.Sort();
        return times[Measured / 2];
    }
}
