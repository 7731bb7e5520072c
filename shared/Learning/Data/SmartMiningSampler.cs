namespace DmlPipeline.Learning.Data;

/// <summary>
/// P classes times K images where classes that the network confuses meet: each class drawn brings its nearest classes along. After smart mining (Harwood
/// et al., ICCV 2017, arXiv 1704.01285), whose neighbour graph of all images, made anew each epoch, is one of classes here.
/// </summary>
/// <remarks>
/// Until it is told neighbours, and between classes that have dealt out all their images, chance decides. Every image is seen in every epoch, as by
/// <see cref="PkSampler"/>. Batches of an epoch are a function of (seed, step) and of the neighbours told for that epoch.
/// </remarks>
public sealed class SmartMiningSampler : IBatchSampler
{
    private readonly ClassImages images;
    private readonly long seed;
    private readonly int[] needs;
    private readonly int neighboursPerClass;
    private int[][]? neighbours;
    private EpochCache<Plan> plans;

    /// <summary>Samples from images with the given labels, 0 … of every image; each class drawn brings <paramref name="neighbours"/> others.</summary>
    public SmartMiningSampler(int[] labels, int classes, int imagesPerClass, int neighbours, long seed)
    {
        if (classes < 1) throw new ArgumentOutOfRangeException(nameof(classes), classes, "A batch needs at least one class.");
        if (imagesPerClass < 1) throw new ArgumentOutOfRangeException(nameof(imagesPerClass), imagesPerClass, "A batch needs at least one image per class.");
        if (neighbours < 1) throw new ArgumentOutOfRangeException(nameof(neighbours), neighbours, "A class needs at least one neighbour.");
        images = new ClassImages(labels);
        (this.seed, neighboursPerClass, ImagesPerClass) = (seed, neighbours, imagesPerClass);
        Classes = Math.Min(classes, images.Classes);
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

    /// <summary>Tells the neighbours of every class, nearest first; holds for all batches asked for from now on. Not while others ask for batches.</summary>
    public void Tell(int[][] nearestFirst)
    {
        if (nearestFirst.Length != images.Classes) throw new ArgumentException($"Neighbours of {nearestFirst.Length} classes are given; there are {images.Classes}.", nameof(nearestFirst));
        neighbours = nearestFirst;
        plans = new EpochCache<Plan>(MakePlan);
    }

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
        var groups = neighbours is { } near
            ? new NeighbourDeal(counts, near, neighboursPerClass, StepsPerEpoch, Classes).Deal(ref random)
            : BatchDeal.Deal(counts, order, StepsPerEpoch, Classes, ref random);
        return new Plan(groups, images.Shuffle(ref random));
    }

    private sealed record Plan((int Class, int Number)[] Groups, ClassOrders Orders);
}
