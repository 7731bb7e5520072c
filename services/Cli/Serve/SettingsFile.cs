using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Registry;
using DmlPipeline.Training;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Cli.Serve;

/// <summary>A YAML file with the settings by name, and a section of options for each service. A key that nothing reads is an error.</summary>
internal sealed class SettingsFile
{
    /// <summary>Sections and the options that they hold.</summary>
    private static readonly Dictionary<string, Type?> Sections = new(StringComparer.OrdinalIgnoreCase)
    {
        ["inbox"] = typeof(InboxOptions), ["ingestion"] = typeof(IngestionOptions), ["training"] = typeof(TrainingOptions), ["registry"] = typeof(RegistryOptions), ["policy"] = typeof(PolicySettings),
        // By dataset: checked where they are read.
        ["schedules"] = null,
    };

    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    private SettingsFile(string? path) => Path = path;

    public static SettingsFile None { get; } = new(path: null);

    public string? Path { get; }

    /// <summary>Options of services as configuration keys, <c>Training:OnNewData</c>.</summary>
    public Dictionary<string, string?> Options { get; } = new(StringComparer.OrdinalIgnoreCase);

    public string? this[Setting setting] => values.GetValueOrDefault(setting.IsSecret ? $"{setting.Name}-file" : setting.Name);

    /// <exception cref="SettingException">The file cannot be read; it names the key or the line.</exception>
    public static SettingsFile Read(string path)
    {
        var file = new SettingsFile(path);
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents.Count > 0) file.Take(yaml.Documents[0].RootNode as YamlMappingNode ?? throw Wrong(path, "it must hold keys and values, such as bus: rabbitmq://broker"));
        }
        catch (YamlException e)
        {
            throw Wrong(path, $"line {e.Start.Line}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException("settings", $"the file cannot be read: {e.Message}", e);
        }
        return file;
    }

    private void Take(YamlMappingNode root)
    {
        foreach (var (key, node) in root.Children)
        {
            var name = ((YamlScalarNode)key).Value!;
            if (Sections.TryGetValue(name, out var options) && node is YamlMappingNode section) TakeSection(name, section, options);
            else if (node is YamlScalarNode scalar && Settings.Known.Any(setting => name == (setting.IsSecret ? $"{setting.Name}-file" : setting.Name))) values[name] = scalar.Value ?? "";
            else if (Settings.Known.Any(setting => setting.IsSecret && setting.Name == name))
                throw Wrong(Path!, $"{name}: a settings file is read by many, so a password is not kept in it: write it into a file of its own and name that as {name}-file");
            else throw Unknown(name, Settings.Known.Select(setting => setting.Name).Concat(Sections.Keys));
        }
    }

    private void TakeSection(string name, YamlMappingNode section, Type? options)
    {
        foreach (var (key, node) in section.Children)
        {
            var option = ((YamlScalarNode)key).Value!;
            if (options is null)
            {
                foreach (var (part, value) in (node as YamlMappingNode ?? throw Wrong(Path!, $"{name}: {option} must hold keys and values, such as cron: 30 2 * * *")).Children)
                    Options[$"{name}:{option}:{Property(part)}"] = Text(value, $"{name}: {option}");
                continue;
            }
            var known = options.GetProperties().Select(property => property.Name).ToList();
            if (!known.Contains(Property(key), StringComparer.OrdinalIgnoreCase)) throw Unknown($"{name}: {option}", known.Select(property => $"{name}: {Key(property)}"));
            Options[$"{name}:{Property(key)}"] = Text(node, $"{name}: {option}");
        }
    }

    /// <summary>on-new-data and onNewData are both OnNewData.</summary>
    private static string Property(YamlNode key) => ((YamlScalarNode)key).Value!.Replace("-", "", StringComparison.Ordinal);

    /// <summary>OnNewData is written on-new-data.</summary>
    private static string Key(string property) => string.Concat(property.Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private string Text(YamlNode node, string where) => node is YamlScalarNode scalar ? scalar.Value ?? "" : throw Wrong(Path!, $"{where} must be one value");

    private SettingException Unknown(string key, IEnumerable<string> known) => Wrong(Path!, $"there is no setting {key}. There are: {string.Join(", ", known)}");

    private static SettingException Wrong(string path, string what, Exception? inner = null) => new("settings", $"{path}: {what}", inner);
}
