namespace DmlPipeline.Learning.Data;

/// <summary>
/// Batches of P classes times K images for losses on pairs: image i*K … i*K+K-1 of a batch share a class, and no class comes twice.
/// </summary>
/// <remarks>
/// An epoch offers StepsPerEpoch*P groups of K images. A class gets groups in proportion to its images (rounded up or down by chance,
/// at most one per batch), and deals its images out in a fresh random order. So every image is seen in every epoch when the class sizes are
/// multiples of K, and equally often on average when they are not. Classes with fewer than K images repeat some within a group.
/// </remarks>
public sealed class PkSampler : IBatchSampler
{
    private readonly int[][] imagesOfClass;
    private readonly int images;
    private readonly long seed;
    private readonly EpochCache<Plan> plans;

    /// <summary>Samples from images with the given labels; with fewer than <paramref name="classes"/> classes every batch holds all there are.</summary>
    public PkSampler(int[] labels, int classes, int imagesPerClass, long seed)
    {
        if (labels.Length == 0) throw new ArgumentException("The set has no images to draw batches from.");
        if (classes < 1) throw new ArgumentOutOfRangeException(nameof(classes), classes, "A batch needs at least one class.");
        if (imagesPerClass < 1) throw new ArgumentOutOfRangeException(nameof(imagesPerClass), imagesPerClass, "A batch needs at least one image per class.");

        imagesOfClass = [.. labels.Select((label, index) => (label, index)).GroupBy(x => x.label, x => x.index).OrderBy(g => g.Key).Select(g => g.ToArray())];
        images = labels.Length;
        this.seed = seed;
        Classes = Math.Min(classes, imagesOfClass.Length);
        ImagesPerClass = imagesPerClass;
        StepsPerEpoch = (int)Math.Max(1, (images + BatchSize - 1L) / BatchSize);
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
        var groups = plan.Groups.AsSpan((int)(step % StepsPerEpoch) * Classes, Classes);

        var batch = new int[BatchSize];
        for (var p = 0; p < groups.Length; p++)
        {
            var (@class, number) = groups[p];
            var order = plan.Orders[@class];
            // Neighbours on a circle: K images in a row are distinct wherever the class has at least K.
            for (var k = 0; k < ImagesPerClass; k++)
                batch[(p * ImagesPerClass) + k] = order[(int)((((long)number * ImagesPerClass) + k) % order.Length)];
        }
        return batch;
    }

    private Plan MakePlan(long epoch)
    {
        var random = new CounterRandom(seed, epoch);
        var shuffled = new int[imagesOfClass.Length];
        for (var i = 0; i < shuffled.Length; i++) shuffled[i] = i;
        random.Shuffle<int>(shuffled);

        var counts = GroupsOfClasses(shuffled, ref random);
        var groups = Deal(shuffled, counts, ref random);

        var orders = new int[imagesOfClass.Length][];
        for (var c = 0; c < orders.Length; c++)
        {
            orders[c] = [.. imagesOfClass[c]];
            random.Shuffle<int>(orders[c]);
        }
        return new Plan(groups, orders);
    }

    /// <summary>How many groups each class gets (by place in <paramref name="shuffled"/>): their sum is StepsPerEpoch*P, none exceeds StepsPerEpoch.</summary>
    private int[] GroupsOfClasses(int[] shuffled, ref CounterRandom random)
    {
        var shares = Shares(shuffled);
        var counts = new int[shuffled.Length];
        // Systematic rounding: one random offset for the running sum rounds every share up or down without bias and keeps the total.
        var offset = random.NextDouble();
        double sum = 0;
        long before = 0;
        var total = (long)StepsPerEpoch * Classes;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += shares[i];
            var upTo = i == counts.Length - 1 ? total : Math.Min(total, (long)Math.Floor(sum + offset));
            counts[i] = (int)Math.Clamp(upTo - before, 0, StepsPerEpoch);
            before += counts[i];
        }
        // Rounding of the running sum can leave a group over; it goes to the first classes with room.
        for (var i = 0; before < total; i = (i + 1) % counts.Length)
        {
            if (counts[i] >= StepsPerEpoch) continue;
            counts[i]++;
            before++;
        }
        return counts;
    }

    /// <summary>Groups in proportion to images; what exceeds one group per batch is shared out among the smaller classes.</summary>
    private double[] Shares(int[] shuffled)
    {
        var shares = new double[shuffled.Length];
        var full = new bool[shuffled.Length];
        double groups = (double)StepsPerEpoch * Classes, weight = images;
        for (var again = true; again;)
        {
            again = false;
            for (var i = 0; i < shares.Length; i++)
            {
                if (full[i]) continue;
                shares[i] = groups * imagesOfClass[shuffled[i]].Length / weight;
                if (shares[i] < StepsPerEpoch) continue;
                shares[i] = StepsPerEpoch;
                full[i] = true;
                groups -= StepsPerEpoch;
                weight -= imagesOfClass[shuffled[i]].Length;
                again = weight > 0;
            }
        }
        return shares;
    }

    /// <summary>Spreads the groups over the batches so that no batch holds a class twice.</summary>
    private (int Class, int Number)[] Deal(int[] shuffled, int[] counts, ref CounterRandom random)
    {
        // Dealt round the table, a class's groups (at most one per batch) fall into different batches.
        var groups = new (int Class, int Number)[StepsPerEpoch * Classes];
        var dealt = 0;
        for (var i = 0; i < shuffled.Length; i++)
            for (var number = 0; number < counts[i]; number++, dealt++)
                groups[(dealt % StepsPerEpoch * Classes) + (dealt / StepsPerEpoch)] = (shuffled[i], number);

        // That alone would let the same classes meet again and again: random swaps that keep the rule mix them.
        for (var sweep = 0; sweep < 2 && StepsPerEpoch > 1; sweep++)
        {
            for (var i = 0; i < groups.Length; i++)
            {
                var j = random.Below(groups.Length);
                if (i / Classes == j / Classes || Holds(groups, i / Classes, groups[j].Class) || Holds(groups, j / Classes, groups[i].Class)) continue;
                (groups[i], groups[j]) = (groups[j], groups[i]);
            }
        }
        return groups;
    }

    private bool Holds((int Class, int Number)[] groups, int batch, int @class)
    {
        foreach (var group in groups.AsSpan(batch * Classes, Classes))
            if (group.Class == @class) return true;
        return false;
    }

    private sealed record Plan((int Class, int Number)[] Groups, int[][] Orders);
}
