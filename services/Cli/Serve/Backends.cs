using System.Data.Common;
using System.Net.Sockets;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli.Serve;

/// <summary>Database and store, opened and found to answer; and a broker that lets this process in.</summary>
internal sealed class Backends : IDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly FileStream? heldHome;

    private Backends(Database database, IArtifactStore store, FileStream? home) => (Database, Store, heldHome) = (database, store, home);

    public Database Database { get; }

    public IArtifactStore Store { get; }

    /// <summary>What is not there yet is waited for; what is there and refuses is an error at once.</summary>
    /// <exception cref="SettingException">A server refuses, or gave no answer in time; it names the setting.</exception>
    public static async Task<Backends> Open(ServeSettings settings, PipelineHome home, Action<string> tell, CancellationToken cancel)
    {
        // The home's own files may not be tidied up by `dml up` while this process works on them.
        var held = settings.Database == home.DatabaseFile || settings.Store == home.StoreFolder ? home.Share() : null;
        var opening = new Opening(DateTime.UtcNow + settings.WaitFor, settings.WaitFor, tell);
        Database? database = null;
        try
        {
            database = await opening.Open(
                Settings.Database, () => Storage.Database.Open(settings.Database, settings.DatabaseUser, settings.DatabasePassword, cancel), cancel);
            if (!settings.Bus.IsMemory)
                await using (await opening.Open(Settings.Bus, () => RabbitMqConnection.Open(settings.Bus, cancel), cancel))
                {
                    // It lets this process in: that is all there was to find out.
                }
            return new Backends(database, await opening.Open(Settings.Store, () => OpenStore(settings.Bucket, settings.StoreFolder, cancel), cancel), held);
        }
        catch
        {
            database?.Dispose();
            if (held is not null) await held.DisposeAsync();
            throw;
        }
    }

    public void Dispose()
    {
        Database.Dispose();
        (Store as IDisposable)?.Dispose();
        heldHome?.Dispose();
    }

    /// <summary>The store alone; one that does not answer is an error at once.</summary>
    public static async Task<IArtifactStore> OpenStore(S3Settings? bucket, string folder, CancellationToken cancel)
    {
        if (bucket is not null) return await S3Store.Open(bucket, createBucket: false, cancel);
        var store = new FolderStore(folder);
        await store.Find("health", cancel);
        return store;
    }

    private sealed record Opening(DateTime Until, TimeSpan Patience, Action<string> Tell)
    {
        public async Task<T> Open<T>(Setting setting, Func<Task<T>> open, CancellationToken cancel)
        {
            while (true)
            {
                try
                {
                    return await open();
                }
                catch (Exception e) when (IsSilence(e) && DateTime.UtcNow < Until)
                {
                    Tell($"waiting for the {setting.Name}: {e.Message}");
                    await Task.Delay(AskAgain, cancel);
                }
                catch (Exception e) when (IsSilence(e))
                {
                    throw new SettingException(setting.Name, $"not there within {Patience.TotalSeconds:0} s: {e.Message}", e);
                }
                catch (DatabaseException e)
                {
                    throw new SettingException(e.Setting, e.Message, e);
                }
                catch (StoreException e)
                {
                    throw new SettingException(e.Setting ?? setting.Name, e.Message, e);
                }
            }
        }

        /// <summary>Nobody is there, or not yet, or clocks differ that somebody will set; a refusal for a setting's sake is another matter.</summary>
        private static bool IsSilence(Exception error) => error switch
        {
            StoreException { IsOutage: true, Setting: null } => true,
            DatabaseException or StoreException => error.GetBaseException() is { } cause && !ReferenceEquals(cause, error)
                && cause is (SocketException or HttpRequestException or IOException or TimeoutException or OperationCanceledException),
            DbException database => database.IsTransient,
            _ => error is IOException,
        };
    }
}
