namespace DmlPipeline.Learning.Data;

/// <summary>Chooses the images of every batch as a pure function of the step, so that a resumed run needs only its step. Thread-safe.</summary>
public interface IBatchSampler
{
    int StepsPerEpoch { get; }

    /// <summary>Images in every batch.</summary>
    int BatchSize { get; }

    /// <summary>Indexes of the images of step <paramref name="step"/> (counted from 0 over all epochs).</summary>
    int[] Batch(long step);
}
