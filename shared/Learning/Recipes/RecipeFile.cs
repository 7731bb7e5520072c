using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Recipes as text: YAML or JSON in, canonical JSON and its hash out, and those that come with the pipeline.</summary>
public static class RecipeFile
{
    private const int MaxCharacters = 64 * 1024, MaxDepth = 16;

    /// <summary>Names of the built-in recipes.</summary>
    public static IReadOnlyList<string> BuiltInNames { get; } =
        [.. Resources.Select(name => name[Prefix.Length..^".yaml".Length]).Order(StringComparer.Ordinal)];

    private const string Prefix = "DmlPipeline.Learning.Recipes.";

    private static IEnumerable<string> Resources =>
        typeof(RecipeFile).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(".yaml", StringComparison.Ordinal));

    /// <summary>Reads a recipe, YAML or JSON.</summary>
    /// <param name="yamlOrJson">The text.</param>
    /// <param name="nameForErrors">What messages call it, such as its file name.</param>
    /// <exception cref="RecipeException">Anything is wrong; it lists all mistakes with key, line, what is allowed and what was probably meant.</exception>
    public static TrainingRecipe Parse(string yamlOrJson, string nameForErrors)
    {
        var reader = new RecipeReader(nameForErrors);
        var recipe = (TrainingRecipe)reader.Record(Root(yamlOrJson, nameForErrors), typeof(TrainingRecipe), "");
        if (reader.Errors.Count == 0) RecipeRules.Check(recipe, reader.Error);
        return reader.Errors.Count == 0 ? recipe : throw new RecipeException(reader.Errors);
    }

    /// <summary>A recipe that comes with the pipeline, by name.</summary>
    /// <exception cref="RecipeException">There is none of that name.</exception>
    public static TrainingRecipe BuiltIn(string name) => Parse(BuiltInText(name), name);

    /// <summary>The YAML text of a built-in recipe, to read or to start from.</summary>
    /// <exception cref="RecipeException">There is none of that name.</exception>
    public static string BuiltInText(string name)
    {
        using var stream = typeof(RecipeFile).Assembly.GetManifestResourceStream($"{Prefix}{name}.yaml");
        if (stream is null)
        {
            var meant = RecipeKeys.Nearest(name, BuiltInNames) is { } nearest ? $" Did you mean '{nearest}'?" : "";
            throw new RecipeException([$"There is no recipe '{name}'; there are {string.Join(", ", BuiltInNames)}.{meant}"]);
        }
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The default recipe with everything filled in that depends on the data set.</summary>
    public static TrainingRecipe Default(DatasetFacts facts) => DatasetDefaults.Resolve(BuiltIn("default"), facts);

    /// <summary>The recipe as JSON that is the same for equal recipes: all settings, sorted, no spaces; what is auto is left out.</summary>
    public static string ToCanonicalJson(TrainingRecipe recipe) => CanonicalJson.Write(recipe);

    /// <summary>SHA-256 of the canonical JSON, in lower-case hexadecimal: a recipe's identity. How many processes do the work does not change what is made.</summary>
    public static string Hash(TrainingRecipe recipe) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToCanonicalJson(recipe with { Processes = null }))));

    private static YamlMappingNode Root(string text, string name)
    {
        if (text.Length > MaxCharacters) throw new RecipeException([$"{name} has {text.Length} characters; a recipe has at most {MaxCharacters}."]);
        try
        {
            CheckDepth(text, name);
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents.Count == 0) return [];
            if (yaml.Documents.Count > 1) throw new RecipeException([$"{name} holds {yaml.Documents.Count} documents; a recipe is one."]);
            return yaml.Documents[0].RootNode as YamlMappingNode
                ?? throw new RecipeException([$"{name} must hold settings (key: value), such as 'epochs: 20'."]);
        }
        catch (YamlException error)
        {
            throw new RecipeException([$"{name}, line {error.Start.Line}: not valid YAML: {error.Message}"]);
        }
    }

    // YamlStream recurses: text nested a few thousand levels deep would end the process.
    private static void CheckDepth(string text, string name)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current is MappingStart or SequenceStart ? 1 : parser.Current is MappingEnd or SequenceEnd ? -1 : 0;
            if (depth > MaxDepth) throw new RecipeException([$"{name}, line {parser.Current!.Start.Line}: nested more than {MaxDepth} levels deep."]);
        }
    }
}
