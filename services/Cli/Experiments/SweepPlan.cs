using System.Text.Json.Nodes;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Search;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Experiments;

/// <summary>What a sweep varies, how, and how often.</summary>
/// <param name="Manifest">The dataset version; its train and validation classes are used, never its test classes.</param>
/// <param name="Recipe">What is varied, as it was given: what it leaves to the data stays so in the result.</param>
/// <param name="RecipeName">Its name.</param>
/// <param name="Space">What is varied.</param>
/// <param name="Method">"random", "tpe" or "halving".</param>
/// <param name="Trials">Trials, or configurations for halving.</param>
/// <param name="Seed">Of the suggestions.</param>
/// <param name="StopsEarly">Whether trials below the median are stopped.</param>
internal sealed record SweepPlan(
    DatasetManifest Manifest, TrainingRecipe Recipe, string RecipeName, SearchSpace Space, string Method, int Trials, long Seed, bool StopsEarly)
{
    public const string Halving = "halving", Random = "random", Parzen = "tpe";

    public bool IsHalving => Method == Halving;

    /// <summary>Trainings in all.</summary>
    public int Planned => IsHalving ? SuccessiveHalving.Plan(Trials).Sum(round => round.Entrants) : Trials;

    /// <summary>What to try after these; null when all is done.</summary>
    public (int Trial, int Round, double Share, IReadOnlyList<double> Point)? Next(IReadOnlyList<TrialRecord> records)
    {
        if (IsHalving)
        {
            if (SuccessiveHalving.Next(Trials, [.. records.Select(record => new RoundResult(record.Trial, record.Round, record.Rank))]) is not { } next) return null;
            return (next.Configuration, next.Round, SuccessiveHalving.Plan(Trials)[next.Round].Share, RandomSuggester.At(Space, next.Configuration, Seed));
        }
        if (records.Count >= Trials) return null;
        ISuggester suggester = Method == Parzen ? new ParzenSuggester() : new RandomSuggester();
        return (records.Count, 0, 1, suggester.Suggest(Space, [.. records.Select(record => new Observation(record.Point, record.Rank))], Seed));
    }

    /// <summary>The recipe of a trial before anything is filled in from the data.</summary>
    public TrainingRecipe RecipeAt(IReadOnlyDictionary<string, string> values) => RecipeVariation.Apply(Recipe, values);

    /// <summary>The recipe that is trained, for a share of the full length.</summary>
    public TrainingRecipe Trained(IReadOnlyDictionary<string, string> values, double share)
    {
        var recipe = DatasetDefaults.Resolve(RecipeAt(values), RecipeChoice.FactsOf(Manifest));
        return share >= 1 ? recipe : recipe with
        {
            Budget = recipe.Budget is { } budget ? TimeSpan.FromSeconds(Math.Max(1, Math.Round(share * budget.TotalSeconds, 1))) : null,
            Epochs = recipe.Epochs is { } epochs ? Math.Max(1, (int)Math.Round(share * epochs)) : null,
        };
    }

    /// <summary>All that decides the course of the search. More trials of the same search go on with it; halving's rounds depend on their number.</summary>
    public JsonObject Inputs() => new()
    {
        ["dataset"] = Manifest.Dataset,
        ["datasetVersion"] = Manifest.Version,
        ["contentHash"] = Manifest.ContentHash,
        ["recipeName"] = RecipeName,
        ["recipe"] = JsonNode.Parse(RecipeFile.ToCanonicalJson(Recipe)),
        ["space"] = Space.ToYaml(),
        ["method"] = Method,
        ["trials"] = IsHalving ? Trials : null,
        ["seed"] = Seed,
        ["stopsEarly"] = StopsEarly,
    };
}
