using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Training;

/// <param name="Train">The training to start, or null.</param>
/// <param name="Reason">Why, or why not.</param>
public sealed record RetrainingDecision(TrainModel? Train, string Reason);

/// <summary>Decides whether a new dataset version is trained on.</summary>
public static class RetrainingPolicy
{
    public static RetrainingDecision Decide(DatasetManifest manifest, TrainingOptions options)
    {
        if (!options.OnNewData) return new RetrainingDecision(null, "training on new data is switched off (Training:OnNewData)");
        try
        {
            var recipe = RecipeChoice.Resolve(manifest.Recipe ?? options.Recipe, manifest, options.Budget, options.Seed, options.Threads);
            var reason = manifest.Parent is null ? "first version of the dataset" : $"{manifest.Counts.Added} images are new since v{manifest.Parent}";
            return new RetrainingDecision(
                new TrainModel($"{manifest.Dataset}-v{manifest.Version}", manifest.Dataset, manifest.Version, RecipeFile.ToCanonicalJson(recipe), "new-data", reason),
                reason);
        }
        catch (RecipeException e)
        {
            return new RetrainingDecision(null, $"the recipe cannot be used: {e.Message}");
        }
    }
}
