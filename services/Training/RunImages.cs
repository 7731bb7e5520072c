using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;

namespace DmlPipeline.Training;

/// <summary>The images of one split of a dataset version, as a recipe wants them.</summary>
internal static class RunImages
{
    /// <returns>Null when the split is empty.</returns>
    public static ImageSet? Load(DatasetReader dataset, string split, TrainingRecipe recipe, long cacheBytes, CancellationToken cancel)
    {
        var indexes = dataset.IndexesOf(split);
        if (indexes.Length == 0) return null;
        var shape = new ImageShape(recipe.Image.Channels!.Value, recipe.Image.Size!.Value, recipe.Image.Size!.Value);
        return ImageSet.Load(shape, [.. indexes.Select(i => dataset.Samples[i].Class)], i => dataset.Read(indexes[i]), cacheBytes, Environment.ProcessorCount, decoded: null, cancel);
    }
}
