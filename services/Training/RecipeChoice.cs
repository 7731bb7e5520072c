using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Training;

/// <summary>Which recipe a training gets, with nothing left on auto.</summary>
public static class RecipeChoice
{
    /// <param name="text">A built-in name or the text of a recipe.</param>
    /// <param name="manifest">The dataset version to train on: it decides what the recipe leaves to the data.</param>
    /// <param name="budget">Replaces the recipe's length when given, for example <c>10m</c>.</param>
    /// <param name="seed">Replaces the recipe's seed when given.</param>
    /// <param name="threads">CPU threads when the recipe leaves them open.</param>
    /// <exception cref="RecipeException">The recipe is wrong; every mistake is listed.</exception>
    public static TrainingRecipe Resolve(string text, DatasetManifest manifest, string? budget, long? seed, int threads)
    {
        var recipe = RecipeFile.BuiltInNames.Contains(text, StringComparer.Ordinal) || IsName(text)
            ? RecipeFile.BuiltIn(text)
            : RecipeFile.Parse(text, "the recipe");
        if (budget is not null) recipe = recipe with { Budget = (Duration.TryParse(budget, out var b_) ? b_ : default), Epochs = null };
        if (seed is not null) recipe = recipe with { Seed = seed.Value };
        if (recipe.Threads == 0) recipe = recipe with { Threads = threads };
        return DatasetDefaults.Resolve(Checked(recipe), FactsOf(manifest));
    }

    /// <summary>The recipe, with what it asks of the worker in its one form.</summary>
    /// <exception cref="RecipeException">It asks for what no worker could have.</exception>
    public static TrainingRecipe Checked(TrainingRecipe recipe)
    {
        try
        {
            return recipe.Needs is null ? recipe : recipe with { Needs = Needs.Parse(recipe.Needs).ToString() };
        }
        catch (FormatException e)
        {
            throw new RecipeException([$"'needs': {e.Message}"]);
        }
    }

    public static Learning.Recipes.DatasetFacts FactsOf(DatasetManifest manifest)
    {
        var train = manifest.Classes.Where(c => c.Split == SplitNames.Train).ToList();
        var facts = manifest.Facts;
        return new Learning.Recipes.DatasetFacts(
            facts.GreyShare, facts.MedianWidth, facts.MedianHeight, facts.DarkOnLight, train.Count, train.Sum(c => c.Images), TorchSharp.torch.cuda.is_available());
    }

    private static bool IsName(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
