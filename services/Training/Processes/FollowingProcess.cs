using System.Net.Sockets;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Torch;

namespace DmlPipeline.Training.Processes;

/// <summary>A process that takes no jobs: it trains along with rank 0, run by run.</summary>
public static class FollowingProcess
{
    private static readonly TimeSpan MeetWithin = TimeSpan.FromMinutes(2), AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>Follows one run on this machine, or on many machines one after the other until <paramref name="cancel"/>.</summary>
    /// <param name="membership">Where to meet whom.</param>
    /// <param name="store">The same as rank 0's.</param>
    /// <param name="imageCacheBytes">How much memory decoded images may take.</param>
    /// <param name="say">Hears what happens.</param>
    /// <param name="cancel">Stops the run under way, for all processes: rank 0 saves a checkpoint.</param>
    public static async Task Follow(GroupMembership membership, IArtifactStore store, long imageCacheBytes, Action<string> say, CancellationToken cancel)
    {
        if (membership.Place.File is not null)
        {
            await FollowOne(membership, store, imageCacheBytes, say, cancel);
            return;
        }
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                // Between runs nobody serves the port.
                if (await Answers(membership.Place, cancel)) await FollowOne(membership, store, imageCacheBytes, say, cancel);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Rank 0 leads, and takes the run up again from its checkpoint: this process has only to be there.
                say(e.Message);
            }
            await Task.Delay(AskAgain, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task FollowOne(GroupMembership membership, IArtifactStore store, long imageCacheBytes, Action<string> say, CancellationToken cancel)
    {
        using var thread = new TorchThread(1);
        using var group = await thread.Run(() => ProcessGroup.Join(membership.Place, membership.Rank, membership.Size, MeetWithin, cancel));
        var share = await thread.Run(() => RunShare.Hear(group));
        say($"run {share.RunId}: process {membership.Rank} of {membership.Size} on {share.Dataset} v{share.DatasetVersion}");
        var recipe = RecipeFile.Parse(share.Recipe, $"the recipe of run {share.RunId}");
        using var dataset = await DatasetReader.Open(store, share.Dataset, share.DatasetVersion, cancel);
        using var train = RunImages.Load(dataset, SplitNames.Train, recipe, imageCacheBytes, cancel)
            ?? throw new InvalidDataException($"{share.Dataset} v{share.DatasetVersion} has no training images.");
        // Rank 0 writes and validates.
        var job = new TrainingJob { Recipe = recipe, Train = train, Folder = "", Device = DeviceBeside(share.Device), Group = group, Threads = share.Threads };
        await thread.Run(() =>
        {
            TrainingFollower.Run(job, cancel);
            return true;
        });
        say($"run {share.RunId}: done");
    }

    /// <summary>A GPU where rank 0 has one: the only one that this process was shown, or, as torchrun counts, the one of its place on the machine.</summary>
    private static string DeviceBeside(string leader) =>
        leader == "cpu" ? leader : Environment.GetEnvironmentVariable("LOCAL_RANK") is { Length: > 0 } place ? $"cuda:{place}" : "cuda";

    private static async Task<bool> Answers(MeetingPoint place, CancellationToken cancel)
    {
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync(place.Host!, place.Port, cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
