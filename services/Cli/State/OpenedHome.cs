using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Local;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.State;

/// <summary>A home's state and store, read beside a running pipeline or without one.</summary>
internal sealed class OpenedHome : IDisposable
{
    private OpenedHome(PipelineHome home, string asWritten, Database database)
    {
        Home = home;
        AsWritten = asWritten;
        Database = database;
        Store = home.OpenStore();
    }

    public PipelineHome Home { get; }

    /// <summary>The path as the user wrote it.</summary>
    public string AsWritten { get; }

    public Database Database { get; }

    public FolderStore Store { get; }

    public bool IsRunning => Home.Running() is not null;

    /// <summary>Opens a home that must exist: commands that read never make one.</summary>
    public static async Task<OpenedHome> Open(ParseResult parse, CancellationToken cancel)
    {
        var path = parse.GetValue(SharedOptions.Home)!;
        return new PipelineHome(path).Exists ? await OpenOrCreate(path, cancel) : throw None(path);
    }

    public static CliException None(string path) =>
        new($"There is no pipeline in {path}. Start one with: {Cli.Hint.On(path, "up")}, or name its folder with --home");

    public static async Task<OpenedHome> OpenOrCreate(string path, CancellationToken cancel)
    {
        var home = new PipelineHome(path);
        return new OpenedHome(home, path, await home.OpenDatabase(cancel));
    }

    /// <summary>A command line for this home.</summary>
    public string Hint(params IEnumerable<string> words) => Cli.Hint.On(AsWritten, words);

    /// <summary>Refuses to wait for what nothing works on.</summary>
    public void RequireRunning(string what)
    {
        if (!IsRunning) throw new CliException($"No pipeline runs on {AsWritten}, so nothing would ever {what}. Start it in another terminal with: {Hint("up")}");
    }

    public void Dispose() => Database.Dispose();
}
