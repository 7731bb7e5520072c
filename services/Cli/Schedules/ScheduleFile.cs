using System.Globalization;
using System.Reflection;
using DmlPipeline.Scheduling;
using DmlPipeline.Training;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DmlPipeline.Cli.Schedules;

/// <param name="Schedule">As the file declares it.</param>
/// <param name="Paused">Null when the file leaves that to whoever pauses and resumes.</param>
internal sealed record DeclaredSchedule(ScheduleDefinition Schedule, bool? Paused);

/// <summary>Schedules and retraining policies as a file under version control declares them. A key that nothing reads is an error.</summary>
internal sealed class ScheduleFile
{
    private static readonly string[] Keys = ["dataset", "cron", "timezone", "recipe", "calendar", "except", "jitter", "max-concurrent", "missed", "force", "paused"];

    private readonly string path;
    private readonly Dictionary<string, IReadOnlyList<string>> calendars = new(StringComparer.Ordinal);

    private ScheduleFile(string path) => this.path = path;

    public SortedDictionary<string, DeclaredSchedule> Schedules { get; } = new(StringComparer.Ordinal);

    /// <summary>By dataset.</summary>
    public SortedDictionary<string, PolicySettings> Policies { get; } = new(StringComparer.Ordinal);

    /// <exception cref="CliException">The file cannot be read; every message names the key and the remedy.</exception>
    public static ScheduleFile Read(string path)
    {
        var file = new ScheduleFile(path);
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents.Count > 0) file.Take(file.Map(yaml.Documents[0].RootNode, "the file"));
        }
        catch (YamlException e)
        {
            throw file.Wrong($"line {e.Start.Line}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"The file cannot be read: {e.Message}");
        }
        return file;
    }

    private void Take(IReadOnlyDictionary<string, YamlNode> root)
    {
        Known(root, "the file", "calendars", "schedules", "policies");
        if (root.TryGetValue("calendars", out var named))
            foreach (var (name, days) in Map(named, "calendars")) calendars[name] = List(days, $"calendars: {name}");
        if (root.TryGetValue("schedules", out var schedules))
            foreach (var (name, node) in Map(schedules, "schedules")) Schedules[name] = Schedule(name, Map(node, $"schedules: {name}"));
        if (root.TryGetValue("policies", out var policies))
            foreach (var (dataset, node) in Map(policies, "policies")) Policies[dataset] = Policy(dataset, Map(node, $"policies: {dataset}"));
    }

    private DeclaredSchedule Schedule(string name, IReadOnlyDictionary<string, YamlNode> keys)
    {
        var where = $"schedules: {name}";
        Known(keys, where, Keys);
        string Text(string key, string otherwise) => keys.TryGetValue(key, out var node) ? Scalar(node, $"{where}: {key}") : otherwise;
        var days = keys.TryGetValue("except", out var except) ? List(except, $"{where}: except") : [];
        var calendar = keys.TryGetValue("calendar", out var listed) ? List(listed, $"{where}: calendar") : [];
        var schedule = new ScheduleDefinition
        {
            Name = name,
            Dataset = Text("dataset", name),
            Cron = Text("cron", ""),
            TimeZone = Text("timezone", "UTC"),
            Recipe = Text("recipe", ""),
            Except = [.. calendar.SelectMany(entry => calendars.TryGetValue(entry, out var named) ? named : throw Wrong($"{where}: there is no calendar '{entry}' in the file")), .. days],
            JitterSeconds = ScheduleDefinition.TryReadSeconds(Text("jitter", "0s"), out var seconds) ? seconds : -1,
            MaxConcurrent = int.TryParse(Text("max-concurrent", "1"), NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : -1,
            Missed = Text("missed", ScheduleDefinition.OnceMissed),
            Force = Flag(Text("force", "false"), $"{where}: force"),
        };
        if (schedule.Mistakes(DateTimeOffset.UtcNow).Select(wrong => $"{where}: {wrong.Option} {wrong.Mistake}").FirstOrDefault() is { } mistake) throw Wrong(mistake);
        return new DeclaredSchedule(schedule, keys.TryGetValue("paused", out var paused) ? Flag(Scalar(paused, $"{where}: paused"), $"{where}: paused") : null);
    }

    private PolicySettings Policy(string dataset, IReadOnlyDictionary<string, YamlNode> keys)
    {
        var where = $"policies: {dataset}";
        var properties = typeof(PolicySettings).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(property => property.SetMethod is not null).ToDictionary(property => KeyOf(property.Name), StringComparer.Ordinal);
        Known(keys, where, [.. properties.Keys]);
        var policy = new PolicySettings();
        foreach (var (key, node) in keys)
        {
            var type = Nullable.GetUnderlyingType(properties[key].PropertyType) ?? properties[key].PropertyType;
            var text = Scalar(node, $"{where}: {key}");
            object? value = type == typeof(string) ? text
                : type == typeof(int) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? (object)whole
                : type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (object)number
                : throw Wrong($"{where}: {key} '{text}' is no number");
            properties[key].SetValue(policy, value);
        }
        return policy.Mistakes() is [var first, ..] ? throw Wrong($"{where}: {first}") : policy;
    }

    /// <summary>MaxAge is written max-age.</summary>
    public static string KeyOf(string property) =>
        string.Concat(property.Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private Dictionary<string, YamlNode> Map(YamlNode node, string where) =>
        node is YamlMappingNode map ? map.Children.ToDictionary(child => Scalar(child.Key, where), child => child.Value, StringComparer.Ordinal) : throw Wrong($"{where} must hold keys and values");

    private List<string> List(YamlNode node, string where) => node switch
    {
        YamlSequenceNode list => [.. list.Select(item => Scalar(item, where))],
        YamlScalarNode => [Scalar(node, where)],
        _ => throw Wrong($"{where} must be a list"),
    };

    private string Scalar(YamlNode node, string where) => node is YamlScalarNode scalar ? scalar.Value ?? "" : throw Wrong($"{where} must be one value");

    private bool Flag(string text, string where) => text switch { "true" => true, "false" => false, _ => throw Wrong($"{where} '{text}' is neither true nor false") };

    private void Known(IReadOnlyDictionary<string, YamlNode> keys, string where, params string[] known)
    {
        if (keys.Keys.FirstOrDefault(key => !known.Contains(key, StringComparer.Ordinal)) is { } unknown) throw Wrong($"{where}: there is no {unknown}; there are {string.Join(", ", known)}");
    }

    private CliException Wrong(string what) => new($"{path}: {what}.");
}
