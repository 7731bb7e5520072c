using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli.State;

/// <summary>A home's state and store, read beside a running pipeline or without one.</summary>
internal sealed class OpenedHome : IDisposable
{
    // Of a pipeline of many processes, whose files are in a bucket; null when they are in the home.
    private readonly S3Store? bucket;

    private OpenedHome(PipelineHome home, string asWritten, Database database, S3Store? bucket = null)
    {
        Home = home;
        AsWritten = asWritten;
        Database = database;
        this.bucket = bucket;
        Store = bucket is null ? home.OpenStore() : bucket;
    }

    public PipelineHome Home { get; }

    /// <summary>The path as the user wrote it.</summary>
    public string AsWritten { get; }

    public Database Database { get; }

    public IArtifactStore Store { get; }

    /// <summary>Of a pipeline of many processes nobody can tell from here: its work waits until somebody does it.</summary>
    public bool IsRunning => bucket is not null || Home.Running() is not null;

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

    /// <summary>The state and store of a pipeline of many processes; the home is for what is written here.</summary>
    public static async Task<OpenedHome> OpenServers(string path, S3Settings bucket, Func<Task<Database>> open, CancellationToken cancel)
    {
        var database = await open();
        try
        {
            return new OpenedHome(new PipelineHome(path), path, database, await S3Store.Open(bucket, createBucket: false, cancel));
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Where a stored object is, for people.</summary>
    public string PlaceOf(string key) => bucket is null ? Path.Combine(Home.StoreFolder, key) : $"{bucket.Settings}/{key}";

    /// <summary>A command line for this home.</summary>
    public string Hint(params IEnumerable<string> words) => Cli.Hint.On(AsWritten, words);

    /// <summary>Refuses to wait for what nothing works on.</summary>
    public void RequireRunning(string what)
    {
        if (!IsRunning) throw new CliException($"No pipeline runs on {AsWritten}, so nothing would ever {what}. Start it in another terminal with: {Hint("up")}");
    }

    public void Dispose()
    {
        Database.Dispose();
        bucket?.Dispose();
    }
}
