namespace DmlPipeline.Learning.Data;

/// <summary>
/// Batches of which a fixed share is old images: a model that goes on from where it was learns what is new and keeps seeing what it knows. The two parts
/// are drawn by samplers of their own; an epoch is one of the new images.
/// </summary>
public sealed class ReplaySampler(IBatchSampler fresh, int[] freshImages, IBatchSampler old, int[] oldImages) : IBatchSampler
{
    public int StepsPerEpoch => fresh.StepsPerEpoch;

    public int BatchSize => fresh.BatchSize + old.BatchSize;

    public int[] Batch(long step) => [.. fresh.Batch(step).Select(i => freshImages[i]), .. old.Batch(step).Select(i => oldImages[i])];
}
