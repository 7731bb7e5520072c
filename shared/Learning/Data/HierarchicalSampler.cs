namespace DmlPipeline.Learning.Data;

/// <summary>
/// Batches whose classes come from few super-classes (alphabets, genera, makes), so that a class meets the classes that it is hardest to tell from:
/// S super-classes times P/S classes times K images. After the sampler of the Deep-Metric-Learning-Baselines (Cakir et al., CVPR 2019).
/// </summary>
/// <remarks>
/// Every image is seen in every epoch: each super-class deals its classes' groups of K out over part-batches, and the part-batches are dealt out over
/// batches in the same way, none beside another of its super-class. One with fewer than P/S classes is filled up with classes of other super-classes.
/// </remarks>
public sealed class HierarchicalSampler : IBatchSampler
{
    private readonly ClassImages images;
    private readonly int[][] classesOf; // by super-class
    private readonly int[][] needs;     // groups that each class of a super-class needs
    private readonly int[] partNeeds;   // part-batches that each super-class needs
    private readonly int[] weights;     // images of each super-class
    private readonly int perPart, partsPerBatch;
    private readonly long seed;
    private readonly EpochCache<Plan> plans;

    /// <param name="labels">0 … of every image.</param>
    /// <param name="superClassOfLabel">By label.</param>
    /// <param name="superClasses">S; with fewer, every batch holds all there are.</param>
    /// <param name="classes">P; rounded down to a multiple of S.</param>
    /// <param name="imagesPerClass">K.</param>
    /// <param name="seed">Of all batches.</param>
    public HierarchicalSampler(int[] labels, IReadOnlyList<int> superClassOfLabel, int superClasses, int classes, int imagesPerClass, long seed)
    {
        if (superClasses < 1) throw new ArgumentOutOfRangeException(nameof(superClasses), superClasses, "A batch needs at least one super-class.");
        if (classes < 1) throw new ArgumentOutOfRangeException(nameof(classes), classes, "A batch needs at least one class.");
        if (imagesPerClass < 1) throw new ArgumentOutOfRangeException(nameof(imagesPerClass), imagesPerClass, "A batch needs at least one image per class.");
        images = new ClassImages(labels);
        if (superClassOfLabel.Count != images.Classes)
            throw new ArgumentException($"{superClassOfLabel.Count} super-classes are given for {images.Classes} classes.", nameof(superClassOfLabel));

        this.seed = seed;
        ImagesPerClass = imagesPerClass;
        classesOf = [.. Enumerable.Range(0, images.Classes).GroupBy(c => superClassOfLabel[c]).OrderBy(g => g.Key).Select(g => g.ToArray())];
        partsPerBatch = Math.Min(superClasses, classesOf.Length);
        perPart = Math.Max(1, Math.Min(classes, images.Classes) / partsPerBatch);
        var groups = images.GroupsNeeded(imagesPerClass);
        needs = [.. classesOf.Select(own => own.Select(c => groups[c]).ToArray())];
        partNeeds = [.. needs.Select(own => BatchDeal.Batches(own, Math.Min(perPart, own.Length)))];
        weights = [.. classesOf.Select(own => own.Sum(c => images.Sizes[c]))];
        StepsPerEpoch = BatchDeal.Batches(partNeeds, partsPerBatch);
        plans = new EpochCache<Plan>(MakePlan);
    }

    /// <summary>K.</summary>
    public int ImagesPerClass { get; }

    public int BatchSize => checked(partsPerBatch * perPart * ImagesPerClass);

    public int StepsPerEpoch { get; }

    public int[] Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var plan = plans.Get(step / StepsPerEpoch);
        return plan.Orders.Fill(plan.Batches[(int)(step % StepsPerEpoch)], ImagesPerClass);
    }

    /// <summary>The super-class of each class whose name is a path, such as Greek/alpha: what comes before the last slash.</summary>
    /// <exception cref="InvalidDataException">The classes do not lie in two folders at least.</exception>
    public static int[] Folders(IReadOnlyList<string> classNames)
    {
        var folders = classNames.Select(name => name.Contains('/', StringComparison.Ordinal) ? name[..name.LastIndexOf('/')] : "").ToArray();
        var distinct = folders.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (distinct.Count < 2)
            throw new InvalidDataException("A hierarchical sampler draws classes of one folder, but the classes of this data set are not grouped in folders: use sampler.kind balanced.");
        return [.. folders.Select(folder => distinct.BinarySearch(folder, StringComparer.Ordinal))];
    }

    private Plan MakePlan(long epoch)
    {
        var random = new CounterRandom(seed, epoch);
        var order = BatchDeal.Shuffled(classesOf.Length, ref random);
        var counts = BatchDeal.Counts(partNeeds, weights, order, StepsPerEpoch, partsPerBatch, ref random);
        var parts = new (int Class, int Number)[classesOf.Length][];
        for (var s = 0; s < parts.Length; s++) parts[s] = Parts(s, counts[s], ref random);

        var places = BatchDeal.Deal(counts, order, StepsPerEpoch, partsPerBatch, ref random);
        var batches = new (int Class, int Number)[StepsPerEpoch][];
        for (var b = 0; b < batches.Length; b++) batches[b] = Assemble(places.AsSpan(b * partsPerBatch, partsPerBatch), parts, ref random);
        return new Plan(batches, images.Shuffle(ref random));
    }

    /// <summary>The part-batches of one super-class, one after the other.</summary>
    private (int Class, int Number)[] Parts(int superClass, int count, ref CounterRandom random)
    {
        var own = classesOf[superClass];
        var perPartHere = Math.Min(perPart, own.Length);
        var order = BatchDeal.Shuffled(own.Length, ref random);
        var counts = BatchDeal.Counts(needs[superClass], [.. own.Select(c => images.Sizes[c])], order, count, perPartHere, ref random);
        return [.. BatchDeal.Deal(counts, order, count, perPartHere, ref random).Select(place => (own[place.Item], place.Number))];
    }

    private (int Class, int Number)[] Assemble(ReadOnlySpan<(int SuperClass, int Number)> places, (int Class, int Number)[][] parts, ref CounterRandom random)
    {
        var batch = new List<(int Class, int Number)>(partsPerBatch * perPart);
        foreach (var (superClass, number) in places)
        {
            var width = Math.Min(perPart, classesOf[superClass].Length);
            batch.AddRange(parts[superClass].AsSpan(number * width, width));
        }
        var taken = batch.Select(group => group.Class).ToHashSet();
        while (batch.Count < partsPerBatch * perPart)
        {
            var other = random.Below(images.Classes);
            if (taken.Add(other)) batch.Add((other, random.Below(int.MaxValue)));
        }
        return [.. batch];
    }

    private sealed record Plan((int Class, int Number)[][] Batches, ClassOrders Orders);
}
