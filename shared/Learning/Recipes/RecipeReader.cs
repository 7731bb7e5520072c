using System.Globalization;
using System.Reflection;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Reads YAML (and so JSON) into records by their properties, and notes every mistake with its line and what would be right.</summary>
internal sealed partial class RecipeReader(string source)
{
    private readonly Dictionary<string, long> lines = new(StringComparer.Ordinal);

    public List<string> Errors { get; } = [];

    public object Record(YamlNode node, Type type, string path)
    {
        var record = Activator.CreateInstance(type)!;
        if (node is not YamlMappingNode mapping)
        {
            Error(node, path, $"must hold settings (key: value), not {Describe(node)}");
            return record;
        }

        var properties = RecipeKeys.Of(type).ToDictionary(RecipeKeys.Name, StringComparer.Ordinal);
        foreach (var (keyNode, valueNode) in mapping.Children)
        {
            var key = (keyNode as YamlScalarNode)?.Value ?? "?";
            var full = path.Length == 0 ? key : $"{path}.{key}";
            lines[full] = keyNode.Start.Line;
            if (properties.TryGetValue(key, out var property)) Property(record, property, valueNode, full);
            else Error(keyNode, full, $"is not a setting; allowed here: {string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))}{Suggest(key, properties.Keys)}");
        }
        return record;
    }

    /// <summary>Notes a mistake found after reading, at the line where the key was read.</summary>
    public void Error(string path, string problem) =>
        Errors.Add(lines.TryGetValue(path, out var line) ? $"{source}, line {line}: '{path}' {problem}." : $"{source}: '{path}' {problem}.");

    private void Error(YamlNode node, string path, string problem) =>
        Errors.Add(path.Length == 0 ? $"{source}, line {node.Start.Line}: the recipe {problem}." : $"{source}, line {node.Start.Line}: '{path}' {problem}.");

    private void Property(object record, PropertyInfo property, YamlNode node, string path)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (IsAuto(node) && MayBeAuto(property))
        {
            property.SetValue(record, null);
            return;
        }

        var before = Errors.Count;
        var value = NamedKind.Of(type) is { } kind ? Named(node, kind, path)
            : type.IsArray && NamedKind.Of(type.GetElementType()!) is { } kindOfEach ? NamedList(node, kindOfEach, path)
            : RecipeKeys.IsRecord(type) ? Record(node, type, path)
            : type.IsArray ? Numbers(node, path)
            : Scalar(node, type, path);
        if (Errors.Count == before && InRange(property, value, node, path)) property.SetValue(record, value);
    }

    private static bool IsAuto(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "auto" or "null" or "~" or "" };

    private static bool MayBeAuto(PropertyInfo property) =>
        new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    private double[] Numbers(YamlNode node, string path)
    {
        if (node is YamlSequenceNode sequence) return [.. sequence.Children.Select(child => Scalar(child, typeof(double), path) as double? ?? 0)];
        Error(node, path, $"must be a list of numbers such as [0.5, 0.75], not {Describe(node)}");
        return [];
    }

    private object? Scalar(YamlNode node, Type type, string path)
    {
        var scalar = node as YamlScalarNode;
        var text = scalar?.Value ?? "";
        // Quoted digits are text: a recipe says what it means.
        var plain = scalar?.Style == ScalarStyle.Plain;
        if (scalar is not null)
        {
            if (type.IsEnum && RecipeKeys.NamesOf(type).ToList().IndexOf(text) is >= 0 and var index) return Enum.GetValues(type).GetValue(index);
            if (type == typeof(string)) return text;
            if (type == typeof(TimeSpan) && Duration.TryParse(text, out var duration)) return duration;
            if (type == typeof(bool) && plain && text is "true" or "false") return string.Equals(text, "true", StringComparison.Ordinal);
            if (type == typeof(int) && plain && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
            if (type == typeof(long) && plain && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large)) return large;
            if (type == typeof(double) && plain && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) return number;
        }
        var suggestion = type.IsEnum ? Suggest(text, RecipeKeys.NamesOf(type)) : "";
        Error(node, path, $"must be {Expected(type)}, not {Describe(node)}{suggestion}");
        return null;
    }

    private bool InRange(PropertyInfo property, object? value, YamlNode node, string path)
    {
        if (RecipeKeys.Range(property) is not { } range || value is null) return true;
        var low = Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture);
        var high = Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
        IEnumerable<double> values = value switch
        {
            double[] list => list,
            TimeSpan span => [span.TotalSeconds],
            _ => [Convert.ToDouble(value, CultureInfo.InvariantCulture)],
        };
        if (values.All(number => number >= low && number <= high)) return true;
        var unit = value is TimeSpan ? " seconds" : "";
        Error(node, path, $"is {Describe(node)}, out of range; allowed: {low:G6} to {high:G6}{unit}");
        return false;
    }

    private static string Expected(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", RecipeKeys.NamesOf(type))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(double) ? "a number"
        : type == typeof(TimeSpan) ? "a time with its unit, such as 90s, 10m or 1h30m"
        : "text";

    private static string Describe(YamlNode node) => node switch
    {
        YamlScalarNode { Value.Length: > 60 } scalar => $"'{scalar.Value[..60]}…'",
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => $"'{scalar.Value}'",
        YamlScalarNode scalar => $"the text \"{scalar.Value}\"",
        YamlSequenceNode => "a list",
        _ => "a group of settings",
    };

    private static string Suggest(string written, IEnumerable<string> candidates) =>
        RecipeKeys.Nearest(written, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : "";
}
