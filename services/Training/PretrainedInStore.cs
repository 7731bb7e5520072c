using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Storage;

namespace DmlPipeline.Training;

/// <summary>Pretrained weights may lie in the store, where every worker finds them; otherwise the recipe names a file of this machine.</summary>
public static class PretrainedInStore
{
    private const string Artifact = "artifact:";

    /// <returns>The file that <c>artifact:KEY</c> of a recipe means; null when that names none in the store.</returns>
    /// <exception cref="WeightException">There is none of that key.</exception>
    public static async Task<string?> LocalFile(IArtifactStore store, string? weights, CancellationToken cancel)
    {
        if (weights?.StartsWith(Artifact, StringComparison.Ordinal) != true) return null;
        var key = weights[Artifact.Length..];
        return await store.Find(key, cancel) is not null
            ? await store.LocalFile(key, cancel)
            : throw new WeightException($"There are no pretrained weights '{key}' in the store: put the file there under that key, or name a file of this machine by its path.");
    }
}
