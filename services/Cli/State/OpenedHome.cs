using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli.State;

/// <summary>A pipeline's state and store, of a home or of servers, read beside a running pipeline or without one.</summary>
internal sealed class OpenedHome : IDisposable
{
    private OpenedHome(PipelineHome home, string asWritten, Database database, IArtifactStore store, bool isOfServers = false)
    {
        Home = home;
        AsWritten = asWritten;
        Database = database;
        Store = store;
        IsOfServers = isOfServers;
    }

    public PipelineHome Home { get; }

    /// <summary>The path as the user wrote it, or the database of the pipeline.</summary>
    public string AsWritten { get; }

    public Database Database { get; }

    public IArtifactStore Store { get; }

    /// <summary>Whether it is a pipeline of many processes.</summary>
    public bool IsOfServers { get; }

    /// <summary>Of a pipeline of many processes nobody can tell from here: its work waits until somebody does it.</summary>
    public bool IsRunning => IsOfServers || Home.Running() is not null;

    /// <summary>Opens the pipeline that serve's settings name, else the home, which must exist: commands that read never make one.</summary>
    public static async Task<OpenedHome> Open(ParseResult parse, CancellationToken cancel) => await OpenIfAny(parse, cancel) ?? throw None(parse.GetValue(SharedOptions.Home)!);

    /// <returns>Null when no servers are named and there is no home.</returns>
    public static async Task<OpenedHome?> OpenIfAny(ParseResult parse, CancellationToken cancel)
    {
        var path = parse.GetValue(SharedOptions.Home)!;
        var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
        if (sources.MayMeanServers && ServeSettings.ReadPlaces(sources, Path.GetFullPath(path)) is { } places) return await OpenServers(path, places, cancel);
        return new PipelineHome(path).Exists ? await OpenOrCreate(path, cancel) : null;
    }

    public static CliException None(string path) =>
        new($"There is no pipeline in {path}. Start one with: {Cli.Hint.On(path, "up")}, or name its folder with --home");

    public static async Task<OpenedHome> OpenOrCreate(string path, CancellationToken cancel)
    {
        var home = new PipelineHome(path);
        return new OpenedHome(home, path, await home.OpenDatabase(cancel), home.OpenStore());
    }

    /// <summary>The state and store of a pipeline of many processes; the home is for what is written here.</summary>
    public static async Task<OpenedHome> OpenServers(string path, PipelinePlaces places, CancellationToken cancel)
    {
        var database = await Database.Open(places.Database, places.DatabaseUser, places.DatabasePassword, cancel);
        try
        {
            IArtifactStore store = places.Bucket is { } bucket ? await S3Store.Open(bucket, createBucket: false, cancel) : new FolderStore(places.StoreFolder!);
            return new OpenedHome(new PipelineHome(path), path, database, store, isOfServers: true);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Where a stored object is, for people.</summary>
    public string PlaceOf(string key) => Store is S3Store bucket ? $"{bucket.Settings}/{key}" : Path.Combine(((FolderStore)Store).Root, key);

    /// <summary>A command line for this pipeline.</summary>
    public string Hint(params IEnumerable<string> words) => IsOfServers ? Cli.Hint.Command(words) : Cli.Hint.On(AsWritten, words);

    /// <summary>Refuses to wait for what nothing works on.</summary>
    public void RequireRunning(string what)
    {
        if (!IsRunning) throw new CliException($"No pipeline runs on {AsWritten}, so nothing would ever {what}. Start it in another terminal with: {Hint("up")}");
    }

    public void Dispose()
    {
        Database.Dispose();
        (Store as IDisposable)?.Dispose();
    }
}
