using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Hosting;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli.State;

/// <summary>A pipeline's state and store, of a home or of servers, read beside a running pipeline or without one.</summary>
internal sealed class OpenedHome : IDisposable
{
    // Where others work on it: a pipeline of many processes; null when all of it is in the home.
    private readonly string? servers;

    private OpenedHome(PipelineHome home, string asWritten, Database database, IArtifactStore store, string? servers = null)
    {
        Home = home;
        AsWritten = asWritten;
        Database = database;
        Store = store;
        this.servers = servers;
    }

    public PipelineHome Home { get; }

    /// <summary>The path as the user wrote it, or the database of the pipeline.</summary>
    public string AsWritten { get; }

    public Database Database { get; }

    public IArtifactStore Store { get; }

    /// <summary>Of a pipeline of many processes nobody can tell from here: its work waits until somebody does it.</summary>
    public bool IsRunning => servers is not null || Home.Running() is not null;

    /// <summary>
    /// Opens the pipeline that serve's settings name, else the home, which must exist: commands that read never make one. Who names a home
    /// on the command line means it, whatever the environment says.
    /// </summary>
    public static async Task<OpenedHome> Open(ParseResult parse, CancellationToken cancel)
    {
        var path = parse.GetValue(SharedOptions.Home)!;
        try
        {
            var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
            var namesHome = parse.GetResult(SharedOptions.Home) is { Implicit: false };
            if ((sources.NamesPlaces || !namesHome) && ServeSettings.ReadPlaces(sources, Path.GetFullPath(path)) is { } places) return await OpenServers(path, places, cancel);
        }
        catch (SettingException e)
        {
            throw new CliException(ServeCommand.Explain(e));
        }
        catch (Exception e) when (e is StoreException { Setting: not null } or DatabaseException)
        {
            throw new CliException(ServeCommand.Explain(new SettingException(e is DatabaseException database ? database.Setting : ((StoreException)e).Setting!, e.Message, e)));
        }
        return new PipelineHome(path).Exists ? await OpenOrCreate(path, cancel) : throw None(path);
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
            return new OpenedHome(new PipelineHome(path), path, database, store, places.Database);
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
    public string Hint(params IEnumerable<string> words) => servers is null ? Cli.Hint.On(AsWritten, words) : Cli.Hint.Command(words);

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
