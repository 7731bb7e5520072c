namespace DmlPipeline.Learning.Data;

/// <summary>
/// A list of triplets drawn once and kept for the whole run, for learning as if nothing else were known: images 3t, 3t+1 and 3t+2 of a batch are anchor,
/// positive and negative. Every epoch shows all triplets in a fresh order; the last batch is filled up from the order's start.
/// </summary>
public sealed class FixedTripletSampler : IBatchSampler
{
    private readonly (int Anchor, int Positive, int Negative)[] triplets;
    private readonly EpochCache<int[]> orders;

    /// <summary>Draws the list: two classes, two images of the first, one of the second.</summary>
    /// <param name="labels">Of all images.</param>
    /// <param name="count">Triplets of the list.</param>
    /// <param name="batchSize">At most so many images in a batch; it holds whole triplets.</param>
    /// <param name="seed">Of the list and of the orders.</param>
    /// <exception cref="ArgumentException">No class has two images, or there is only one class.</exception>
    public FixedTripletSampler(int[] labels, int count, int batchSize, long seed)
    {
        if (count < 1) throw new ArgumentOutOfRangeException(nameof(count), count, "The list needs at least one triplet.");
        if (batchSize < 3) throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "A batch of triplets needs at least three images.");
        var images = new ClassImages(labels);
        var anchorClasses = Enumerable.Range(0, images.Classes).Where(c => images.Sizes[c] > 1).ToArray();
        if (anchorClasses.Length == 0 || images.Classes < 2)
            throw new ArgumentException("Triplets need two classes, and one with two images.");

        var random = new CounterRandom(seed, -1);
        triplets = new (int, int, int)[count];
        for (var t = 0; t < count; t++) triplets[t] = Draw(images, anchorClasses, ref random);
        var perBatch = Math.Min(batchSize / 3, count);
        BatchSize = perBatch * 3;
        StepsPerEpoch = (count + perBatch - 1) / perBatch;
        orders = new EpochCache<int[]>(epoch =>
        {
            var fresh = new CounterRandom(seed, epoch);
            return BatchDeal.Shuffled(count, ref fresh);
        });
    }

    public int StepsPerEpoch { get; }

    public int BatchSize { get; }

    public int[] Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var order = orders.Get(step / StepsPerEpoch);
        var first = step % StepsPerEpoch * (BatchSize / 3);
        var batch = new int[BatchSize];
        for (var t = 0; t < BatchSize / 3; t++)
            (batch[3 * t], batch[(3 * t) + 1], batch[(3 * t) + 2]) = triplets[order[(first + t) % order.Length]];
        return batch;
    }

    private static (int, int, int) Draw(ClassImages images, int[] anchorClasses, ref CounterRandom random)
    {
        var own = anchorClasses[random.Below(anchorClasses.Length)];
        var other = Other(own, images.Classes, ref random);
        var anchor = random.Below(images.Sizes[own]);
        var positive = Other(anchor, images.Sizes[own], ref random);
        return (images[own][anchor], images[own][positive], images[other][random.Below(images.Sizes[other])]);
    }

    /// <summary>Uniform among all but <paramref name="one"/>.</summary>
    private static int Other(int one, int count, ref CounterRandom random)
    {
        var drawn = random.Below(count - 1);
        return drawn < one ? drawn : drawn + 1;
    }
}
