using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage.State;
using DmlPipeline.Torch;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Training.Processes;

/// <summary>The processes that share one run, seen by the one that leads them: for most runs it alone.</summary>
internal sealed class RunGroup : IDisposable
{
    private static readonly TimeSpan MeetWithin = TimeSpan.FromMinutes(2);

    private readonly Companions? companions;

    private RunGroup(ProcessGroup processes, Companions? companions, int? threads) => (Processes, this.companions, Threads) = (processes, companions, threads);

    public ProcessGroup Processes { get; }

    /// <summary>CPU threads of each process, where they share this machine; null for the recipe's.</summary>
    public int? Threads { get; }

    /// <summary>Waits for the others, starts them where they are of this machine, and tells them the run. On the torch thread.</summary>
    /// <param name="run">What they share.</param>
    /// <param name="recipe">Of the run; says how many processes of this machine.</param>
    /// <param name="otherwise">Processes, when the recipe does not say.</param>
    /// <param name="device">Of this process: the others take the GPUs after it.</param>
    /// <param name="membership">Machines that train together; null for this one.</param>
    /// <param name="command">How to start others; null where that is not possible.</param>
    /// <param name="logger">Hears what companions have to say.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="PermanentException">This process cannot start others, or the run is not for several.</exception>
    /// <exception cref="ProcessGroupException">The others did not come.</exception>
    public static RunGroup Open(
        RunRow run, TrainingRecipe recipe, int otherwise, string device, GroupMembership? membership, CompanionCommand? command, ILogger logger, CancellationToken cancel)
    {
        var mustBeOne = recipe.WarmStart is { Replay: not null } or { AlsoFromScratch: true };
        if (mustBeOne && (membership is not null || recipe.Processes > 1))
            throw new PermanentException($"Run {run.Id} replays old data, or begins both with an earlier model and from scratch: such a run is trained by one process. Ask for one, or leave warm_start.replay and warm_start.also_from_scratch out.");
        if (membership is not null) return Meet(run, device, membership.Place, membership.Size, companions: null, threads: null, cancel);
        var size = mustBeOne ? 1 : recipe.Processes ?? otherwise;
        if (size == 1) return new RunGroup(ProcessGroup.Solo, companions: null, threads: null);
        if (command is null) throw new PermanentException($"Run {run.Id} asks for {size} processes, and this one cannot start others: train it with dml up or dml serve, or with one process.");
        var started = Companions.Start(command, size, device, logger);
        try
        {
            var threads = recipe.Threads == 0 ? Environment.ProcessorCount : recipe.Threads;
            return Meet(run, device, started.Place, size, started, Math.Max(1, threads / size), cancel);
        }
        catch (ProcessGroupException e) when (started.Casualties() is { Length: > 0 } ended)
        {
            started.Dispose();
            throw new ProcessGroupException($"{e.Message} Of this machine's, {ended}; the log has its last words.", e);
        }
        catch
        {
            started.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Processes.Dispose();
        companions?.Dispose();
    }

    private static RunGroup Meet(RunRow run, string device, MeetingPoint place, int size, Companions? companions, int? threads, CancellationToken cancel)
    {
        var group = ProcessGroup.Join(place, rank: 0, size, MeetWithin, cancel);
        try
        {
            new RunShare(run.Id, run.Dataset, run.DatasetVersion, run.RecipeJson, device, threads).Tell(group);
            return new RunGroup(group, companions, threads);
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }
}
