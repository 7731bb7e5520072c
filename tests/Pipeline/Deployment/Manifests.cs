using System.Text.RegularExpressions;
using DmlPipeline.Local;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using Settings = DmlPipeline.Cli.Serve.Settings;

namespace DmlPipeline.Tests.Pipeline.Deployment;

/// <summary>The files of a deployment, read as whoever runs it reads them.</summary>
internal static partial class Manifests
{
    public static string Root { get; } = FindRoot();

    public static IEnumerable<string> Services => PipelineService.All.Select(service => service.Name);

    /// <summary>Every document of a YAML file, with anchors and merge keys resolved.</summary>
    public static IReadOnlyList<Node> Read(string path)
    {
        var documents = new List<Node>();
        var deserializer = new DeserializerBuilder().Build();
        using var reader = new StreamReader(Path.Combine(Root, path));
        var parser = new Parser(reader);
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        while (parser.Accept<YamlDotNet.Core.Events.DocumentStart>(out _)) documents.Add(new Node(deserializer.Deserialize<object?>(parser)));
        return documents;
    }

    /// <summary>Whether a process reads this variable: a setting, or an option of a service.</summary>
    public static bool IsRead(string variable) =>
        variable is "DML_SETTINGS"
        || Settings.All.Any(setting => variable == setting.Variable || (setting.IsSecret && variable == setting.FileVariable))
        || OptionOfService().IsMatch(variable);

    /// <summary>An image whose content a later day does not change: a tag with a version, or a digest.</summary>
    public static bool IsPinned(string image) => VersionOrDigest().IsMatch(image) && !image.EndsWith(":latest", StringComparison.Ordinal);

    /// <summary>Words that stand where a password would.</summary>
    public static bool IsSecretName(string name) => SecretName().IsMatch(name);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DmlPipeline.sln"))) folder = folder.Parent;
        return folder!.FullName;
    }

    [GeneratedRegex("^DML_(INBOX|INGESTION|TRAINING|REGISTRY|SCHEDULES)__[A-Z_]+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OptionOfService();

    [GeneratedRegex("(@sha256:[0-9a-f]{64}|:[^:/]*[0-9]+[.-][0-9][^:/]*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionOrDigest();

    [GeneratedRegex("(PASSWORD|SECRET|SECRET_KEY|TOKEN)$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();
}

/// <summary>A place in a YAML document; what is not there is an empty place.</summary>
internal sealed record Node(object? Value)
{
    public string? Text => Value as string;

    public IEnumerable<Node> Items => Value is List<object?> list ? list.Select(item => new Node(item)) : [];

    public IEnumerable<(string Key, Node Value)> Entries => Map(Value).Select(pair => (pair.Key, new Node(pair.Value)));

    public bool Exists => Value is not null;

    public Node this[string key] => new(Map(Value).GetValueOrDefault(key));

    /// <summary>Every key and value at any depth.</summary>
    public IEnumerable<(string Key, Node Value)> Everything() =>
        Entries.Concat(Entries.Select(entry => entry.Value).Concat(Items).SelectMany(inner => inner.Everything()));

    /// <summary>A mapping with what its merge key (&lt;&lt;) brings, which its own keys go before.</summary>
    private static Dictionary<string, object?> Map(object? value)
    {
        if (value is not Dictionary<object, object?> raw) return [];
        var map = raw.Where(pair => pair.Key is not "<<").ToDictionary(pair => (string)pair.Key, pair => pair.Value, StringComparer.Ordinal);
        if (raw.TryGetValue("<<", out var merged))
            foreach (var (key, inherited) in Map(merged)) map.TryAdd(key, inherited);
        return map;
    }
}
