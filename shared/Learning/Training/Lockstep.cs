using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Keeps the processes of a group at the same step: before each one, rank 0 says how far the run is, or that it ends; anyone may ask to stop.</summary>
internal sealed class Lockstep(ProcessGroup group)
{
    private bool ended;

    /// <summary>Whether another process was asked to stop, and so all have.</summary>
    public bool IsAskedToStop { get; private set; }

    /// <summary>Rank 0: all make the next step, at this progress of the run.</summary>
    /// <exception cref="OperationCanceledException">Another process was asked to stop: nobody makes the step.</exception>
    public void Begin(double progress)
    {
        if (group.IsSolo) return;
        if (!Exchange(asksToStop: false, progress, ends: false).Stop) return;
        (IsAskedToStop, ended) = (true, true);
        throw new OperationCanceledException("Another process of the group was asked to stop.");
    }

    /// <summary>What may interrupt the wait for a batch: where others wait for this process, nothing but rank 0's, which tells them.</summary>
    public CancellationToken Interrupts(CancellationToken cancel) => group.Rank == 0 ? cancel : CancellationToken.None;

    /// <summary>Before a part of the run that has no progress of its own: whether all go on.</summary>
    /// <exception cref="OperationCanceledException">Rank 0 only: another process was asked to stop.</exception>
    public bool Continue(CancellationToken cancel)
    {
        if (group.Rank != 0) return Follow(cancel) is not null;
        Begin(progress: 0);
        return true;
    }

    /// <summary>Rank 0: there is no further step.</summary>
    public void End()
    {
        if (group.IsSolo || ended) return;
        ended = true;
        Exchange(asksToStop: false, progress: 0, ends: true);
    }

    /// <summary>The others: the progress of the run at the next step; null when there is none.</summary>
    public double? Follow(CancellationToken cancel)
    {
        var (progress, stop, ends) = Exchange(cancel.IsCancellationRequested, progress: 0, ends: false);
        return stop || ends ? null : progress;
    }

    // Each adds what it has to say to the zeros of the others.
    private (double Progress, bool Stop, bool Ends) Exchange(bool asksToStop, double progress, bool ends)
    {
        using var scope = NewDisposeScope();
        var said = tensor(new[] { progress, asksToStop ? 1.0 : 0, ends ? 1.0 : 0 });
        group.Sum(said);
        var heard = said.data<double>().ToArray();
        return (heard[0], heard[1] > 0, heard[2] > 0);
    }
}
