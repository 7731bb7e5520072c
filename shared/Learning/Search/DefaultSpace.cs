using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Search;

/// <summary>What is searched when nobody says otherwise: the loss's own numbers and the learning rate, each from a fifth to five times its value.</summary>
public static class DefaultSpace
{
    private const double Factor = 5;
    private const int Halvings = 40;

    /// <param name="recipe">Whose values are the middle; what it does not allow is left out of the ranges.</param>
    public static SearchSpace Of(TrainingRecipe recipe)
    {
        var parameters = new List<SearchParameter>();
        foreach (var (key, value) in RecipeVariation.Document(recipe)["loss"] as JsonObject ?? [])
            if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && Around($"loss.{key}", number.GetValue<double>(), recipe) is { } parameter) parameters.Add(parameter);
        if (Around("optimiser.learning_rate", recipe.Optimiser.LearningRate, recipe) is { } rate) parameters.Add(rate);
        return new SearchSpace(parameters);
    }

    /// <summary>Null for zero, which has no magnitude to vary, and for settings that the recipe lets no room.</summary>
    private static SearchParameter? Around(string key, double value, TrainingRecipe recipe)
    {
        if (value <= 0) return null;
        // Settings that are whole numbers allow the next one, but nothing in between.
        if (value == Math.Floor(value) && Allows(value + 1) && !Allows(value + 0.5)) return Whole();
        var (low, high) = (Limit(value / Factor), Limit(value * Factor));
        return low < high ? SearchParameter.Of(key, ParameterKind.LogRange, Nice(low, up: true), Nice(high, up: false)) : null;

        SearchParameter? Whole()
        {
            var (least, most) = (Math.Ceiling(Limit(value / Factor, Math.Ceiling)), Math.Floor(Limit(value * Factor, Math.Floor)));
            return least < most ? SearchParameter.Of(key, ParameterKind.WholeRange, least, most) : null;
        }

        // The reader of recipes knows what is allowed: asked between the value and the wish, it leads to the limit.
        double Limit(double wish, Func<double, double>? round = null)
        {
            round ??= number => number;
            if (Allows(round(wish))) return round(wish);
            var (good, bad) = (value, wish);
            for (var i = 0; i < Halvings; i++)
            {
                var middle = Math.Sqrt(good * bad);
                if (Allows(round(middle))) good = middle;
                else bad = middle;
            }
            return round(good);
        }

        bool Allows(double candidate)
        {
            try
            {
                RecipeVariation.Apply(recipe, new Dictionary<string, string>(StringComparer.Ordinal) { [key] = SearchParameter.Text(candidate) });
                return true;
            }
            catch (RecipeException)
            {
                return false;
            }
        }
    }

    /// <summary>Three digits, rounded into the range.</summary>
    private static double Nice(double value, bool up)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(value)) - 2);
        var steps = value / unit;
        var rounded = (up ? Math.Ceiling(steps - 1e-6) : Math.Floor(steps + 1e-6)) * unit;
        return double.Parse(rounded.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
