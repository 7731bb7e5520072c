using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Cli.Serve;

/// <summary>Finds the value of a setting: the flag, else the environment, else the settings file.</summary>
internal sealed class SettingSources
{
    private static readonly Option<string> File = new("--settings") { Description = "A YAML file with settings by name, and options of services by section. Or DML_SETTINGS", HelpName = "FILE" };

    private static readonly Dictionary<string, Option<string>> Flags =
        Settings.Known.ToDictionary(setting => setting.Name, CreateFlag, StringComparer.Ordinal);

    private readonly ParseResult parse;
    private readonly Func<string, string?> environment;

    /// <exception cref="SettingException">The settings file cannot be read.</exception>
    public SettingSources(ParseResult parse, Func<string, string?> environment)
    {
        this.parse = parse;
        this.environment = environment;
        FromFile = (parse.GetValue(File) ?? environment("DML_SETTINGS")) is { Length: > 0 } path ? SettingsFile.Read(path) : SettingsFile.None;
    }

    public SettingsFile FromFile { get; }

    /// <summary>The settings file alone, for commands whose help would drown in the flags; the environment names the rest as well.</summary>
    public static Option<string> FileFlag => File;

    /// <summary>Whether servers may be meant: who names a home on the command line means it, whatever the environment says.</summary>
    public bool MayMeanServers => NamesPlaces || parse.GetResult(SharedOptions.Home) is not { Implicit: false };

    /// <summary>Whether the command line says where state and objects are, or names a file that may.</summary>
    private bool NamesPlaces => parse.GetResult(File) is not null || Settings.OfPlaces.Any(setting => parse.GetResult(Flags[setting.Name]) is not null);

    public static IEnumerable<Option> FlagsOf(IEnumerable<Setting> settings) => settings.Select(setting => (Option)Flags[setting.Name]).Append(File);

    /// <summary>The flags of this command line, to start another process with.</summary>
    public IEnumerable<string> Given => Flags.Values.Append(File).Where(flag => !string.IsNullOrEmpty(parse.GetValue(flag))).SelectMany(flag => new[] { flag.Name, parse.GetValue(flag)! });

    /// <summary>An environment variable that is no setting; null when it is not set.</summary>
    public string? Variable(string name) => NotEmpty(environment(name));

    /// <summary>Null when it is given nowhere.</summary>
    /// <exception cref="SettingException">The file that a password is to be read from cannot be.</exception>
    public string? this[Setting setting]
    {
        get
        {
            var flag = parse.GetValue(Flags[setting.Name]);
            if (!setting.IsSecret) return NotEmpty(flag) ?? NotEmpty(environment(setting.Variable)) ?? NotEmpty(FromFile[setting]);
            if (NotEmpty(flag) is { } named) return Secret(setting, named);
            if (NotEmpty(environment(setting.Variable)) is { } secret) return secret;
            return (NotEmpty(environment(setting.FileVariable)) ?? NotEmpty(FromFile[setting])) is { } path ? Secret(setting, path) : null;
        }
    }

    /// <summary>The bus, with its user and password.</summary>
    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public BusSettings Bus(string connectionName)
    {
        var bus = BusSettings.Parse(this[Settings.Bus] ?? Settings.Bus.Default!);
        if (bus.IsMemory) return bus;
        return bus with
        {
            User = this[Settings.BusUser] ?? throw Missing(Settings.BusUser, bus),
            Password = this[Settings.BusPassword] ?? throw Missing(Settings.BusPassword, bus),
            Prefetch = (ushort)Number(Settings.BusPrefetch, from: 1, to: ushort.MaxValue),
            ConnectionName = connectionName,
        };
    }

    /// <exception cref="SettingException">It is no number between these.</exception>
    public int Number(Setting setting, int from, int to)
    {
        var text = this[setting] ?? setting.Default!;
        return int.TryParse(text, out var number) && number >= from && number <= to ? number : throw new SettingException(setting.Name, $"'{text}' is no number from {from} to {to}");
    }

    public static SettingException Missing(Setting setting, object forWhat) => new(setting.Name, $"{forWhat} needs it");

    private static string Secret(Setting setting, string path)
    {
        try
        {
            // Editors end a file with a line break, which is no part of a password.
            return System.IO.File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException(setting.Name, $"the file that should hold it cannot be read: {e.Message}", e);
        }
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static Option<string> CreateFlag(Setting setting) => new(setting.Flag)
    {
        Description = $"{(setting.IsSecret ? $"File with the {setting.Does[..1].ToLowerInvariant()}{setting.Does[1..]}" : setting.Does)}."
            + $" Or {(setting.IsSecret ? $"{setting.Variable}, {setting.FileVariable}" : setting.Variable)}{(setting.Default is null ? "" : $". Default: {setting.Default}")}",
        HelpName = setting.Holds,
    };
}
