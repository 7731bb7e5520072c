namespace DmlPipeline.Learning.Data;

/// <summary>
/// Random batches for losses that compare with class weights: every epoch is a fresh permutation, cut into equal batches;
/// the last batch of an epoch is filled up from the permutation's start, so that all batches have one size.
/// </summary>
public sealed class ShuffleSampler : IBatchSampler
{
    private readonly int images;
    private readonly EpochCache<int[]> permutations;

    public ShuffleSampler(int images, int batchSize, long seed)
    {
        if (images < 1) throw new ArgumentException("The set has no images to draw batches from.");
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "A batch needs at least one image.");
        this.images = images;
        BatchSize = Math.Min(batchSize, images);
        StepsPerEpoch = (images + BatchSize - 1) / BatchSize;
        permutations = new EpochCache<int[]>(epoch => Permute(images, seed, epoch));
    }

    public int StepsPerEpoch { get; }

    public int BatchSize { get; }

    public int[] Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var order = permutations.Get(step / StepsPerEpoch);
        var first = (int)(step % StepsPerEpoch) * BatchSize;
        var batch = new int[BatchSize];
        for (var i = 0; i < batch.Length; i++) batch[i] = order[(first + i) % images];
        return batch;
    }

    private static int[] Permute(int images, long seed, long epoch)
    {
        var order = new int[images];
        for (var i = 0; i < images; i++) order[i] = i;
        new CounterRandom(seed, epoch).Shuffle<int>(order);
        return order;
    }
}
