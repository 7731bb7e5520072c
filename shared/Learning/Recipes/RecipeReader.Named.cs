using DmlPipeline.Learning.Losses;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Entries of catalogues: their name decides which other keys there are.</summary>
internal sealed partial class RecipeReader
{
    private NamedSettings? Named(YamlNode node, NamedKind kind, string path)
    {
        if (node is not YamlMappingNode mapping)
        {
            Error(node, path, $"must hold settings (name: {kind.Default ?? kind.Names[0]}), not {Describe(node)}");
            return null;
        }
        var nameNode = mapping.Children.FirstOrDefault(child => child.Key is YamlScalarNode { Value: "name" }).Value;
        if (nameNode is null && kind.Default is null)
        {
            Error(node, path, $"lacks its name, which is one of {string.Join(", ", kind.Names)}");
            return null;
        }
        var name = nameNode is null ? kind.Default! : (nameNode as YamlScalarNode)?.Value ?? "";
        if (kind.Options(name) is not { } options)
        {
            Error(nameNode!, $"{path}.name", $"must be one of {string.Join(", ", kind.Names)}, not {Describe(nameNode!)}{Suggest(name, kind.Names)}");
            return null;
        }

        var given = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (keyNode, valueNode) in mapping.Children)
        {
            var key = (keyNode as YamlScalarNode)?.Value ?? "?";
            lines[$"{path}.{key}"] = keyNode.Start.Line;
            if (key == "name") continue;
            if (options.FirstOrDefault(option => option.Name == key) is { } option)
            {
                // As everywhere, what is left empty or "auto" is the default.
                if (!IsAuto(valueNode) && Option(valueNode, option, $"{path}.{key}") is { } value) given[key] = value;
                continue;
            }
            var names = options.Select(o => o.Name).Order(StringComparer.Ordinal).ToList();
            var has = names.Count == 0 ? "which has none" : $"it has {string.Join(", ", names)}";
            Error(keyNode, $"{path}.{key}", $"is not an option of the {kind.What} '{name}'; {has}{Suggest(key, [.. names, "name"])}");
        }
        return kind.Make(name, given);
    }

    private Array? NamedList(YamlNode node, NamedKind kind, string path)
    {
        if (node is not YamlSequenceNode sequence)
        {
            Error(node, path, $"must be a list such as [{{name: {kind.Names[0]}}}], not {Describe(node)}");
            return null;
        }
        var list = Array.CreateInstance(kind.Type, sequence.Children.Count);
        for (var i = 0; i < list.Length; i++) list.SetValue(Named(sequence.Children[i], kind, $"{path}[{i}]"), i);
        return list;
    }

    private object? Option(YamlNode node, LossOption option, string path)
    {
        if (option.Choices.Count > 0)
        {
            if (node is YamlScalarNode { Value: { } text } && option.Choices.Contains(text, StringComparer.Ordinal)) return text;
            Error(node, path, $"must be one of {string.Join(", ", option.Choices)}, not {Describe(node)}{Suggest((node as YamlScalarNode)?.Value ?? "", option.Choices)}");
            return null;
        }
        var value = Scalar(node, option.Default.GetType(), path);
        if (value is not double number) return value;
        var isInRange = number >= option.Minimum && number <= option.Maximum;
        if (isInRange && (!option.IsWhole || number == Math.Floor(number))) return value;
        Error(node, path, isInRange ? $"must be a whole number, not {Describe(node)}"
            : $"is {Describe(node)}, out of range; allowed: {option.Minimum:G6} to {option.Maximum:G6}");
        return null;
    }
}
