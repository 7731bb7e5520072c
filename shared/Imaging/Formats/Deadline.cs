using System.Diagnostics;

namespace DmlPipeline.Imaging.Formats;

/// <summary>The moment by which an image must be decoded; counted from its making.</summary>
internal readonly struct Deadline(ImageLimits limits)
{
    private readonly long startedAt = Stopwatch.GetTimestamp();

    public void Check()
    {
        if (Stopwatch.GetElapsedTime(startedAt) > limits.MaxTime)
            throw new ImageException($"decoding took longer than the limit of {limits.MaxTime.TotalSeconds:0.###} seconds");
    }
}
