using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Training;

/// <summary>From a recipe and its training images to what draws the batches.</summary>
internal static class SamplerOfRecipe
{
    private const int SuperClasses = 2, Neighbours = 3;

    /// <exception cref="InvalidDataException">The images do not allow what the recipe asks for; the message says why.</exception>
    public static IBatchSampler Make(TrainingRecipe recipe, ImageSet train)
    {
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

    /// <summary>Smart mining: how many classes each class brings along.</summary>
    public static int NeighboursOf(TrainingRecipe recipe) => recipe.Sampler.Neighbours ?? Neighbours;

    private static FixedTripletSampler FixedTriplets(ImageSet train, int triplets, int batchSize, long seed)
    {
        if (train.ImagesPerClass.All(count => count < 2))
            throw new InvalidDataException("The sampler draws triplets, but no class of this data set has two images.");
        return new FixedTripletSampler(train.Labels, triplets, Math.Max(3, batchSize), seed);
    }
}
