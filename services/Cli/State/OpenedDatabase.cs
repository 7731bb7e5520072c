using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Local;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.State;

/// <summary>A pipeline's state alone, for commands that need no stored object: a home's, or that of a pipeline of many processes.</summary>
internal sealed class OpenedDatabase : IDisposable
{
    private readonly string path;

    private OpenedDatabase(Database database, PipelineHome? home, string path) => (Database, Home, this.path) = (database, home, path);

    /// <summary>What such a command has: it wants no address of the store, and no keys to it.</summary>
    public static IEnumerable<Option> Flags => SettingSources.FlagsOf([Settings.Database, Settings.DatabaseUser, Settings.DatabasePassword]);

    public Database Database { get; }

    /// <summary>Null where the state is that of a pipeline of many processes.</summary>
    public PipelineHome? Home { get; }

    /// <param name="parse">The command line.</param>
    /// <param name="mayCreate">A home that does not exist yet is made.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="CliException">There is no such home.</exception>
    public static async Task<OpenedDatabase> Open(ParseResult parse, bool mayCreate, CancellationToken cancel)
    {
        var folder = parse.GetValue(SharedOptions.Home)!;
        var home = new PipelineHome(folder);
        var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
        if (sources.MayMeanServers && sources[Settings.Database] is { } address)
            return new OpenedDatabase(await Database.Open(address, sources[Settings.DatabaseUser], sources[Settings.DatabasePassword], cancel), home: null, folder);
        return home.Exists || mayCreate ? new OpenedDatabase(await home.OpenDatabase(cancel), home, folder) : throw OpenedHome.None(folder);
    }

    /// <summary>A command line for this pipeline.</summary>
    public string Hint(params IEnumerable<string> words) => Home is null ? Cli.Hint.Command(words) : Cli.Hint.On(path, words);

    public void Dispose() => Database.Dispose();
}
