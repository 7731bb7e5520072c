using System.Globalization;
using DmlPipeline.Learning.Recipes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Learning.Search;

/// <summary>What a search varies. As YAML: one line per setting, <c>loss.scale: {log_range: [4, 64]}</c>.</summary>
public sealed record SearchSpace(IReadOnlyList<SearchParameter> Parameters)
{
    private const int MaxCharacters = 64 * 1024, MaxParameters = 64;

    private static readonly Dictionary<string, ParameterKind> Kinds = new(StringComparer.Ordinal)
    {
        ["range"] = ParameterKind.Range, ["log_range"] = ParameterKind.LogRange, ["whole_range"] = ParameterKind.WholeRange, ["choices"] = ParameterKind.Choices,
    };

    /// <summary>Reads a space; a value without a kind, <c>[64, 128]</c>, is a list of choices.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="RecipeException">Anything is wrong; it lists all mistakes with their lines.</exception>
    public static SearchSpace Parse(string yaml, string name)
    {
        if (yaml.Length > MaxCharacters) throw new RecipeException([$"{name} has {yaml.Length} characters; a search space has at most {MaxCharacters}."]);
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new RecipeException([$"{name}, line {e.Start.Line}: not valid YAML: {e.Message}"]);
        }
        var errors = new List<string>();
        var parameters = new List<SearchParameter>();
        if (stream.Documents.Count > 0 && stream.Documents[0].RootNode is YamlMappingNode root)
        {
            foreach (var (key, value) in root.Children)
            {
                try
                {
                    parameters.Add(Parameter((key as YamlScalarNode)?.Value ?? "?", value));
                }
                catch (FormatException e)
                {
                    errors.Add($"{name}, line {key.Start.Line}: '{key}' {e.Message}.");
                }
            }
        }
        if (parameters.Count == 0 && errors.Count == 0) errors.Add($"{name} names no setting to vary; write for example 'loss.scale: {{log_range: [4, 64]}}'.");
        if (parameters.Count > MaxParameters) errors.Add($"{name} varies {parameters.Count} settings; at most {MaxParameters} can be searched.");
        return errors.Count == 0 ? new SearchSpace(parameters) : throw new RecipeException(errors);
    }

    public string ToYaml() => string.Concat(Parameters.Select(parameter => parameter.Kind == ParameterKind.Choices
        ? $"{parameter.Key}: {{choices: [{string.Join(", ", parameter.Choices)}]}}\n"
        : $"{parameter.Key}: {{{Kinds.First(kind => kind.Value == parameter.Kind).Key}: [{SearchParameter.Text(parameter.Low)}, {SearchParameter.Text(parameter.High)}]}}\n"));

    /// <summary>The settings at a point, by key, as a recipe writes them.</summary>
    public Dictionary<string, string> At(IReadOnlyList<double> point) =>
        Parameters.Select((parameter, i) => (parameter.Key, Value: parameter.At(point[i]))).ToDictionary(x => x.Key, x => x.Value, StringComparer.Ordinal);

    /// <summary>Tries the recipe at both ends of every range and at every choice.</summary>
    /// <exception cref="RecipeException">The recipe has no such setting, or does not allow a value; every mistake is listed.</exception>
    public void Check(TrainingRecipe recipe)
    {
        var errors = new List<string>();
        foreach (var parameter in Parameters)
        {
            string[] values = parameter.Kind == ParameterKind.Choices ? [.. parameter.Choices] : [SearchParameter.Text(parameter.Low), SearchParameter.Text(parameter.High)];
            foreach (var value in values)
            {
                try
                {
                    RecipeVariation.Apply(recipe, new Dictionary<string, string>(StringComparer.Ordinal) { [parameter.Key] = value });
                }
                catch (RecipeException e)
                {
                    errors.AddRange(e.Errors);
                }
            }
        }
        if (errors.Count > 0) throw new RecipeException([.. errors.Distinct(StringComparer.Ordinal)]);
    }

    private static SearchParameter Parameter(string key, YamlNode node)
    {
        if (node is YamlSequenceNode plain) return Choice(key, plain);
        if (node is not YamlMappingNode { Children.Count: 1 } mapping || mapping.Children.First() is not { Key: YamlScalarNode { Value: { } word }, Value: YamlSequenceNode list }
            || !Kinds.TryGetValue(word, out var kind))
            throw new FormatException("must be {range: [LOW, HIGH]}, {log_range: [LOW, HIGH]}, {whole_range: [LOW, HIGH]} or {choices: [A, B]}");
        if (kind == ParameterKind.Choices) return Choice(key, list);
        if (list.Children.Count != 2 || Number(list.Children[0]) is not { } low || Number(list.Children[1]) is not { } high || low >= high)
            throw new FormatException("must give two numbers, the smaller one first");
        if (kind == ParameterKind.LogRange && low <= 0) throw new FormatException("is a log_range and must be above zero");
        if (kind == ParameterKind.WholeRange && (low != Math.Floor(low) || high != Math.Floor(high))) throw new FormatException("is a whole_range and needs whole numbers");
        return SearchParameter.Of(key, kind, low, high);
    }

    private static SearchParameter Choice(string key, YamlSequenceNode list)
    {
        var values = list.Children.OfType<YamlScalarNode>().Select(node => node.Value ?? "").Distinct(StringComparer.Ordinal).ToArray();
        return values.Length >= 2 && list.Children.All(child => child is YamlScalarNode)
            ? SearchParameter.Of(key, values)
            : throw new FormatException("must list at least two different values to choose from");
    }

    private static double? Number(YamlNode node) =>
        node is YamlScalarNode { Value: { } text } && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
}
