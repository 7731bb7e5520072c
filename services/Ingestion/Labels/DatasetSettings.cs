using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Ingestion.Layouts;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Ingestion.Labels;

/// <summary><c>dataset.yaml</c> is wrong; the message says where and what is allowed.</summary>
internal sealed class DatasetSettingsException(string message) : Exception(message);

/// <summary>What <c>dataset.yaml</c> says; null or empty where it is silent.</summary>
/// <param name="Layout">A published dataset's name, <c>auto</c> or <c>none</c>.</param>
/// <param name="SplitBy"><c>class</c>, <c>first-folder</c> or <c>auto</c>.</param>
/// <param name="ValidationClasses">Classes, or folders of classes, that are the validation split, whatever the share.</param>
/// <param name="TestClasses">Likewise for the test.</param>
/// <param name="Recipe">A recipe's name, or an inline recipe as JSON.</param>
internal sealed record DatasetSettings(
    string? Layout, string? SplitBy, double? Validation, double? Test, IReadOnlyList<string> ValidationClasses, IReadOnlyList<string> TestClasses, string? Recipe)
{
    public static readonly DatasetSettings None = new(null, null, null, null, [], [], null);

    private const int MaxBytes = 64 << 10;
    private const int MaxDepth = 16;

    public static DatasetSettings Parse(byte[] yaml)
    {
        if (yaml.Length > MaxBytes) throw new DatasetSettingsException($"dataset.yaml is larger than {MaxBytes >> 10} KiB.");
        var text = Encoding.UTF8.GetString(yaml);
        try
        {
            RefuseTraps(text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 0) return None;
            return stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root
                ? Read(root)
                : throw new DatasetSettingsException("dataset.yaml must be one mapping of options, such as 'split_by: class'.");
        }
        catch (YamlException e)
        {
            throw new DatasetSettingsException($"dataset.yaml, line {e.Start.Line}: {e.Message}");
        }
    }

    // The tree is built by recursion, and aliases multiply: both are checked on the flat list of events first.
    private static void RefuseTraps(string text)
    {
        var parser = new Parser(new StringReader(text));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth) throw new DatasetSettingsException($"dataset.yaml, line {parser.Current.Start.Line}: nested more than {MaxDepth} deep.");
            if (parser.Current is AnchorAlias) throw new DatasetSettingsException($"dataset.yaml, line {parser.Current.Start.Line}: aliases (*name) are not read; write the value out.");
        }
    }

    private static DatasetSettings Read(YamlMappingNode root)
    {
        var settings = None;
        foreach (var (key, value) in root.Children)
        {
            settings = Scalar(key, "an option's name") switch
            {
                "layout" => settings with { Layout = OneOf(value, "layout", LayoutCatalogue.Options) },
                "split_by" => settings with { SplitBy = OneOf(value, "split_by", "class", "first-folder", "auto") },
                "validation" => settings with { Validation = Share(value, "validation", 0, 0.5) },
                "test" => settings with { Test = Share(value, "test", 0.01, 0.9) },
                "validation_classes" => settings with { ValidationClasses = Names(value, "validation_classes") },
                "test_classes" => settings with { TestClasses = Names(value, "test_classes") },
                "recipe" => settings with { Recipe = value is YamlScalarNode name ? Scalar(name, "recipe") : ToJson(value)!.ToJsonString() },
                var unknown => throw Wrong(key, $"'{EntryPath.Display(unknown, 60)}' is no option; there are layout, split_by, validation, test, validation_classes, test_classes and recipe"),
            };
        }
        if (settings.ValidationClasses.Intersect(settings.TestClasses, StringComparer.Ordinal).FirstOrDefault() is { } both)
            throw new DatasetSettingsException($"dataset.yaml lists '{EntryPath.Display(both)}' under validation_classes and under test_classes: choose one.");
        if ((settings.Validation ?? 0) + (settings.Test ?? 0) >= 0.95)
            throw new DatasetSettingsException("dataset.yaml gives validation and test together 0.95 or more, which leaves nothing to train on: lower one.");
        return settings;
    }

    private static string Scalar(YamlNode node, string what) =>
        node is YamlScalarNode { Value: { Length: > 0 } text } ? text : throw Wrong(node, $"{what} must be a single, non-empty value");

    private static string OneOf(YamlNode node, string option, params string[] allowed) =>
        Array.Find(allowed, a => a == Scalar(node, option)) ?? throw Wrong(node, $"{option} must be one of {string.Join(", ", allowed)}");

    private static double Share(YamlNode node, string option, double min, double max) =>
        double.TryParse(Scalar(node, option), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share >= min && share <= max
            ? share
            : throw Wrong(node, $"{option} is a share of the classes and must lie between {min} and {max}");

    private static List<string> Names(YamlNode node, string option) =>
        node is YamlSequenceNode list
            ? [.. list.Select(item => Scalar(item, $"a class under {option}").Trim('/'))]
            : throw Wrong(node, $"{option} must be a list of class names");

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(Scalar(c.Key, "a key of the recipe"), ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
        YamlScalarNode { Style: not ScalarStyle.Plain } quoted => JsonValue.Create(quoted.Value),
        YamlScalarNode plain => PlainToJson(plain.Value ?? ""),
        _ => throw Wrong(node, "this cannot be part of a recipe"),
    };

    private static JsonNode? PlainToJson(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };

    private static DatasetSettingsException Wrong(YamlNode node, string what) => new($"dataset.yaml, line {node.Start.Line}: {what}.");
}
