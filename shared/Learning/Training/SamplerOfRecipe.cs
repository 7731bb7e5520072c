using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Training;

/// <summary>From a recipe and its training images to what draws the batches.</summary>
internal static class SamplerOfRecipe
{
    private const int SuperClasses = 2, Neighbours = 3;

    /// <exception cref="InvalidDataException">The images do not allow what the recipe asks for; the message says why.</exception>
    public static IBatchSampler Make(TrainingRecipe recipe, ImageSet train, bool[]? old)
    {
        if (recipe.WarmStart?.Replay is { } share && old is not null && Replay(recipe, train, old, share) is { } replay) return replay;
        var (settings, seed) = (recipe.Sampler, recipe.Seed);
        var (classes, perClass) = (settings.Classes!.Value, settings.ImagesPerClass!.Value);
        return DatasetDefaults.KindOfSampler(recipe) switch
        {
            SamplerKind.Balanced => new PkSampler(train.Labels, classes, perClass, seed),
            SamplerKind.Hierarchical => new HierarchicalSampler(
                train.Labels, HierarchicalSampler.Folders(train.ClassNames), settings.SuperClasses ?? SuperClasses, classes, perClass, seed),
            SamplerKind.SmartMining => new SmartMiningSampler(train.Labels, classes, perClass, NeighboursOf(recipe), seed),
            SamplerKind.ClassBalanced => new ClassBalancedSampler(train.Labels, classes * perClass, seed),
            SamplerKind.FixedTriplets => FixedTriplets(train, settings.Triplets ?? train.Count, classes * perClass, seed),
            _ => new ShuffleSampler(train.Count, classes * perClass, seed),
        };
    }

    /// <summary>Null when all images are new, or none is.</summary>
    private static ReplaySampler? Replay(TrainingRecipe recipe, ImageSet train, bool[] old, double share)
    {
        // Turned classes repeat the images in the same order.
        var sides = Enumerable.Range(0, train.Count).ToLookup(i => old[i % old.Length]);
        int[] known = [.. sides[true]], fresh = [.. sides[false]];
        if (known.Length == 0 || fresh.Length == 0) return null;
        var (classes, perClass) = (recipe.Sampler.Classes!.Value, recipe.Sampler.ImagesPerClass!.Value);
        var oldClasses = Math.Clamp((int)Math.Round(share * classes), 1, Math.Max(1, classes - 1));
        return new ReplaySampler(Part(fresh, classes - oldClasses, seed: 0), fresh, Part(known, oldClasses, seed: 1), known);

        IBatchSampler Part(int[] images, int ofClasses, long seed)
        {
            var labels = images.Select(i => train.Labels[i]).ToArray();
            return DatasetDefaults.KindOfSampler(recipe) switch
            {
                SamplerKind.Balanced => new PkSampler(labels, Math.Max(1, ofClasses), perClass, recipe.Seed + seed),
                SamplerKind.ClassBalanced => new ClassBalancedSampler(labels, Math.Max(1, ofClasses) * perClass, recipe.Seed + seed),
                _ => new ShuffleSampler(images.Length, Math.Max(1, ofClasses) * perClass, recipe.Seed + seed),
            };
        }
    }

    /// <summary>Smart mining: how many classes each class brings along.</summary>
    public static int NeighboursOf(TrainingRecipe recipe) => recipe.Sampler.Neighbours ?? Neighbours;

    private static FixedTripletSampler FixedTriplets(ImageSet train, int triplets, int batchSize, long seed)
    {
        if (train.ImagesPerClass.All(count => count < 2))
            throw new InvalidDataException("The sampler draws triplets, but no class of this data set has two images.");
        return new FixedTripletSampler(train.Labels, triplets, Math.Max(3, batchSize), seed);
    }
}
