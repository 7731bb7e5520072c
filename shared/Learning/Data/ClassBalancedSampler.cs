namespace DmlPipeline.Learning.Data;

/// <summary>
/// Batches drawn with replacement, every class as likely as any other whatever its size: each image first draws a class, then an image of it. For losses
/// with class weights on unequal classes. An epoch is as many batches as the set would fill; not every image need be among them.
/// </summary>
public sealed class ClassBalancedSampler : IBatchSampler
{
    private readonly ClassImages images;
    private readonly long seed;

    public ClassBalancedSampler(int[] labels, int batchSize, long seed)
    {
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "A batch needs at least one image.");
        images = new ClassImages(labels);
        this.seed = seed;
        BatchSize = Math.Min(batchSize, labels.Length);
        StepsPerEpoch = (labels.Length + BatchSize - 1) / BatchSize;
    }

    public int StepsPerEpoch { get; }

    public int BatchSize { get; }

    public int[] Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var random = new CounterRandom(seed, step);
        var batch = new int[BatchSize];
        for (var i = 0; i < batch.Length; i++)
        {
            var own = images[random.Below(images.Classes)];
            batch[i] = own[random.Below(own.Length)];
        }
        return batch;
    }
}
