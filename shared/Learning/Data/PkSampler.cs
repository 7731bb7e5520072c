namespace DmlPipeline.Learning.Data;

/// <summary>
/// Batches of P classes times K images for losses on pairs: image i*K … i*K+K-1 of a batch share a class, and no class comes twice.
/// </summary>
/// <remarks>
/// Every image is seen in every epoch. A class deals its images out in a fresh random order, in groups of K; it gets as many groups as that takes
/// and, where batches have places left, more in proportion to its images, so that images are seen equally often on average when class sizes are
/// multiples of K. A class comes at most once in a batch: one that is far larger than the others makes the epoch as long as it has groups, and the
/// others come again and again meanwhile. Classes with fewer than K images repeat some within a group.
/// </remarks>
public sealed class PkSampler : IBatchSampler
{
    private readonly ClassImages images;
    private readonly long seed;
    private readonly int[] needs;
    private readonly EpochCache<Plan> plans;

    /// <summary>Samples from images with the given labels; with fewer than <paramref name="classes"/> classes every batch holds all there are.</summary>
    public PkSampler(int[] labels, int classes, int imagesPerClass, long seed)
    {
        if (classes < 1) throw new ArgumentOutOfRangeException(nameof(classes), classes, "A batch needs at least one class.");
        if (imagesPerClass < 1) throw new ArgumentOutOfRangeException(nameof(imagesPerClass), imagesPerClass, "A batch needs at least one image per class.");

        images = new ClassImages(labels);
        this.seed = seed;
        Classes = Math.Min(classes, images.Classes);
        ImagesPerClass = imagesPerClass;
        needs = images.GroupsNeeded(imagesPerClass);
        StepsPerEpoch = BatchDeal.Batches(needs, Classes);
        plans = new EpochCache<Plan>(MakePlan);
    }

    /// <summary>P, after the adjustment to the classes that there are.</summary>
    public int Classes { get; }

    /// <summary>K.</summary>
    public int ImagesPerClass { get; }

    public int BatchSize => checked(Classes * ImagesPerClass);

    public int StepsPerEpoch { get; }

    public int[] Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var plan = plans.Get(step / StepsPerEpoch);
        return plan.Orders.Fill(plan.Groups.AsSpan((int)(step % StepsPerEpoch) * Classes, Classes), ImagesPerClass);
    }

    private Plan MakePlan(long epoch)
    {
        var random = new CounterRandom(seed, epoch);
        var order = BatchDeal.Shuffled(images.Classes, ref random);
        var counts = BatchDeal.Counts(needs, images.Sizes, order, StepsPerEpoch, Classes, ref random);
        var groups = BatchDeal.Deal(counts, order, StepsPerEpoch, Classes, ref random);
        return new Plan(groups, images.Shuffle(ref random));
    }

    private sealed record Plan((int Class, int Number)[] Groups, ClassOrders Orders);
}
