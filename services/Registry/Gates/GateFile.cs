using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Registry.Gates;

/// <summary>The file with the rule is wrong; the message says where and what is allowed.</summary>
public sealed class GateFileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A YAML file with the rule under <c>gate:</c>, and what is different for single models under <c>models:</c>.</summary>
public static class GateFile
{
    /// <summary>The rule of one model.</summary>
    /// <param name="path">The file; null for the defaults.</param>
    /// <param name="model">Model name.</param>
    /// <param name="defaults">What a silent file means.</param>
    /// <exception cref="GateFileException">The file cannot be read, or says what is not understood.</exception>
    public static GateRule RuleOf(string? path, string model, GateRule defaults) => path is null ? defaults : Parse(Text(path), path, model, defaults);

    /// <inheritdoc cref="RuleOf"/>
    public static GateRule Parse(string yaml, string name, string model, GateRule defaults)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents.Count == 0) return defaults;
            var root = Mapping(stream.Documents[0].RootNode, "the file");
            var rule = defaults;
            var models = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
            foreach (var (key, value) in root.Children)
            {
                switch (Scalar(key, "a key"))
                {
                    case "gate": rule = Read(Mapping(value, "gate"), rule); break;
                    case "models":
                        foreach (var (named, changes) in Mapping(value, "models").Children) models[Scalar(named, "a model's name")] = changes;
                        break;
                    case var unknown: throw Wrong(key, $"'{unknown}' is no section; there are gate and models");
                }
            }
            // Every section is read, so that a mistake shows at the start and not in the night when that model is due.
            foreach (var (named, changes) in models)
            {
                var changed = Read(Mapping(changes, named), rule);
                if (named == model) return changed;
            }
            return rule;
        }
        catch (YamlException e)
        {
            throw new GateFileException($"{name}, line {e.Start.Line}: {e.Message}", e);
        }
        catch (FormatException e)
        {
            throw new GateFileException($"{name}, {e.Message}", e);
        }
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GateFileException($"the rule of promotion cannot be read: {e.Message} Mend the file, or name another as registry: gate-file.", e);
        }
    }

    private static GateRule Read(YamlMappingNode section, GateRule rule)
    {
        foreach (var (key, value) in section.Children)
        {
            rule = Scalar(key, "an option") switch
            {
                "metric" => rule with { Metric = Metric(value) },
                "minimum_gain" => rule with { MinimumGain = Number(value, "minimum_gain", 0, 1) },
                "confidence" => rule with { Confidence = Number(value, "confidence", 0.5, 0.999) },
                "resamples" => rule with { Resamples = (int)Number(value, "resamples", 200, 100_000) },
                "seed" => rule with { Seed = (long)Number(value, "seed", 0, int.MaxValue) },
                "over" => rule with { Over = OneOf<DrawnUnit>(value, "over") },
                "maximum_frozen_loss" => rule with { MaximumFrozenLoss = Number(value, "maximum_frozen_loss", 0, 1) },
                "maximum_group_loss" => rule with { MaximumGroupLoss = Number(value, "maximum_group_loss", 0, 1) },
                "group_by" => rule with { GroupBy = OneOf<ClassGroups>(value, "group_by") },
                "minimum_group_queries" => rule with { MinimumGroupQueries = (int)Number(value, "minimum_group_queries", 1, int.MaxValue) },
                "limits" => rule with { Limits = Limits(Mapping(value, "limits")) },
                "required" => rule with { Required = Names(value) },
                "approval" => rule with { ManualApproval = Scalar(value, "approval") switch { "manual" => true, "automatic" => false, _ => throw Wrong(value, "approval must be manual or automatic") } },
                var unknown => throw Wrong(key, $"'{unknown}' is no option of a gate; there are metric, minimum_gain, confidence, resamples, seed, over, maximum_frozen_loss, maximum_group_loss, group_by, minimum_group_queries, limits, required and approval"),
            };
        }
        return rule;
    }

    private static string Metric(YamlNode node)
    {
        var metric = Scalar(node, "metric").ToLowerInvariant();
        return metric is "nmi" or "ami" or "purity" or "pairwise-f1" ? throw Wrong(node, $"{metric} has no value for a single query; take map@r, r-precision or recall@1") : metric;
    }

    private static SortedDictionary<string, double> Limits(YamlMappingNode section)
    {
        var limits = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (key, value) in section.Children)
        {
            var name = Scalar(key, "a limit");
            if (!GateLimits.All.Contains(name, StringComparer.Ordinal)) throw Wrong(key, $"'{name}' is no limit; there are {string.Join(", ", GateLimits.All)}");
            limits[name] = Number(value, name, 0, 1e12);
        }
        return limits;
    }

    private static string[] Names(YamlNode node) =>
        node is YamlSequenceNode list ? [.. list.Select(item => Scalar(item, "a required check")).Distinct(StringComparer.Ordinal)] : throw Wrong(node, "required must be a list of the names of checks");

    private static T OneOf<T>(YamlNode node, string option) where T : struct, Enum =>
        Enum.TryParse<T>(Scalar(node, option), ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsDigit(Scalar(node, option)[0])
            ? value
            : throw Wrong(node, $"{option} must be one of {string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}");

    private static double Number(YamlNode node, string option, double from, double to) =>
        double.TryParse(Scalar(node, option), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to
            ? number
            : throw Wrong(node, FormattableString.Invariant($"{option} must be a number from {from} to {to}"));

    private static YamlMappingNode Mapping(YamlNode node, string what) =>
        node as YamlMappingNode ?? throw Wrong(node, $"{what} must hold keys and values, such as minimum_gain: 0.01");

    private static string Scalar(YamlNode node, string what) =>
        node is YamlScalarNode { Value: { Length: > 0 } text } ? text : throw Wrong(node, $"{what} must be a single value");

    private static FormatException Wrong(YamlNode node, string what) => new($"line {node.Start.Line}: {what}");
}
