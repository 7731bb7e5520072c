using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Search;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Experiments;

/// <summary>One training of a benchmark.</summary>
internal sealed record BenchmarkJob(string Recipe, int Seed, int Fold)
{
    public string Folder => Path.Combine("jobs", $"{Recipe}-s{Seed}-f{Fold}");
}

/// <summary>What a benchmark compares: recipes resolved for the dataset, each trained once for every fold and seed.</summary>
internal sealed record BenchmarkPlan(DatasetManifest Manifest, IReadOnlyDictionary<string, TrainingRecipe> Recipes, Folds Folds, int Seeds)
{
    /// <summary>Recipe by recipe; within one, seed by seed, so that whole cross-validations are done first.</summary>
    public IReadOnlyList<BenchmarkJob> Jobs { get; } =
        [.. Recipes.Keys.SelectMany(recipe => Enumerable.Range(0, Seeds).SelectMany(seed => Enumerable.Range(0, Folds.Count).Select(fold => new BenchmarkJob(recipe, seed, fold))))];

    public TrainingRecipe RecipeOf(BenchmarkJob job) => Recipes[job.Recipe] with { Seed = Recipes[job.Recipe].Seed + job.Seed };

    public static async Task<BenchmarkPlan> Make(
        DatasetManifest manifest, IReadOnlyList<string> namesOrFiles, int folds, int seeds, Func<TrainingRecipe, TrainingRecipe> length, CancellationToken cancel)
    {
        var divided = Folds.Of(manifest, folds, seed: 0);
        // Recipes are resolved for the smallest training set that a fold leaves: what suits it suits the others.
        var known = manifest.Classes.Where(c => c.Split is SplitNames.Train or SplitNames.Validation).ToList();
        var smallest = Enumerable.Range(0, folds).Select(fold => known.Where(c => divided.FoldOf(c.Name) != fold).ToList()).MinBy(classes => classes.Count)!;
        var facts = RecipeChoice.FactsOf(manifest) with { TrainClasses = smallest.Count, TrainImages = smallest.Sum(c => c.Images) };

        var recipes = new Dictionary<string, TrainingRecipe>(StringComparer.Ordinal);
        foreach (var nameOrFile in namesOrFiles)
        {
            var source = await RecipeSource.Read(nameOrFile, cancel);
            var name = Path.GetFileNameWithoutExtension(source.Origin);
            if (!recipes.TryAdd(name, DatasetDefaults.Resolve(length(source.Parse()), facts))) throw new CliException($"Two recipes are called {name}: name them apart.");
        }
        return new BenchmarkPlan(manifest, recipes, divided, seeds);
    }

    /// <summary>Settings other than the loss in which the recipes differ: a comparison of losses should have none.</summary>
    public IReadOnlyList<string> OtherDifferences() =>
        [.. Recipes.Values.Skip(1).SelectMany(recipe => RecipeVariation.Differences(Recipes.Values.First(), recipe)).Where(key => !key.StartsWith("loss.", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    public JsonObject Inputs() => new()
    {
        ["dataset"] = Manifest.Dataset,
        ["datasetVersion"] = Manifest.Version,
        ["contentHash"] = Manifest.ContentHash,
        ["folds"] = Folds.Count,
        ["seeds"] = Seeds,
        ["recipes"] = new JsonObject(Recipes.Select(recipe => KeyValuePair.Create(recipe.Key, JsonNode.Parse(RecipeFile.ToCanonicalJson(recipe.Value))))),
    };
}
