using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Search;

/// <summary>Recipes with some settings changed, addressed by their keys as a recipe file writes them.</summary>
public static class RecipeVariation
{
    /// <summary>The recipe with other values, checked like any recipe.</summary>
    /// <param name="recipe">What stays.</param>
    /// <param name="values">By path, such as "optimiser.learning_rate"; written as in YAML.</param>
    /// <exception cref="RecipeException">A key or value is wrong; every mistake is listed.</exception>
    public static TrainingRecipe Apply(TrainingRecipe recipe, IReadOnlyDictionary<string, string> values)
    {
        var document = Document(recipe);
        // Options belong to their loss: with another one they all start from its defaults.
        if (values.ContainsKey("loss.name")) document["loss"] = new JsonObject();
        foreach (var (path, value) in values)
        {
            var keys = path.Split('.');
            var place = document;
            foreach (var key in keys[..^1])
            {
                if (place[key] is not JsonObject group) place[key] = group = [];
                place = group;
            }
            place[keys[^1]] = Scalar(value);
        }
        return RecipeFile.Parse(document.ToJsonString(), "the recipe to try");
    }

    /// <summary>The recipe as YAML, all settings but those that are left to the data.</summary>
    public static string ToYaml(TrainingRecipe recipe)
    {
        var text = new StringBuilder();
        Write(text, Document(recipe), indent: 0);
        return text.ToString();
    }

    /// <summary>Paths of settings in which two recipes differ.</summary>
    public static IReadOnlyList<string> Differences(TrainingRecipe one, TrainingRecipe other)
    {
        var (left, right) = (Flat(Document(one)), Flat(Document(other)));
        return [.. left.Keys.Union(right.Keys, StringComparer.Ordinal).Where(key => left.GetValueOrDefault(key) != right.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
    }

    internal static JsonObject Document(TrainingRecipe recipe) => JsonNode.Parse(RecipeFile.ToCanonicalJson(recipe))!.AsObject();

    private static JsonNode? Scalar(string value)
    {
        if (value is "true" or "false") return string.Equals(value, "true", StringComparison.Ordinal);
        if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : value;
    }

    private static void Write(StringBuilder text, JsonObject group, int indent)
    {
        foreach (var (key, value) in group)
        {
            text.Append(' ', indent).Append(key).Append(':');
            if (value is JsonObject inner && inner.Count > 0)
            {
                text.Append('\n');
                Write(text, inner, indent + 2);
            }
            else text.Append(' ').Append(Text(value)).Append('\n');
        }
    }

    private static string Text(JsonNode? value) => value switch
    {
        null => "null",
        JsonArray list => $"[{string.Join(", ", list.Select(Text))}]",
        JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String && IsPlain(scalar.ToString()) => scalar.ToString(),
        _ => value.ToJsonString(),
    };

    /// <summary>Words that YAML reads back as the very same text without quotes.</summary>
    private static bool IsPlain(string word) =>
        word.Length > 0 && char.IsAsciiLetterOrDigit(word[0]) && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && Scalar(word) is JsonValue value
        && value.GetValueKind() == JsonValueKind.String && word is not ("null" or "auto" or "yes" or "no" or "on" or "off");

    private static Dictionary<string, string> Flat(JsonObject group, string prefix = "")
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in group)
        {
            if (value is JsonObject inner)
                foreach (var (path, text) in Flat(inner, $"{prefix}{key}.")) all[path] = text;
            else all[prefix + key] = value?.ToJsonString() ?? "null";
        }
        return all;
    }
}
