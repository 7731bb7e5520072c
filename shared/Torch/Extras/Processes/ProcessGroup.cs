using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>
/// Processes that work on one model together. What is called here has to be called by all of them, in the same order: each call waits for the others.
/// Alone (<see cref="Solo"/>), every call is done at once and changes nothing.
/// </summary>
public sealed partial class ProcessGroup : IDisposable
{
    // As distributed.cpp says it.
    private const string Lost = "the other processes are lost";

    private ProcessGroup(int rank, int size) => (Rank, Size) = (rank, size);

    /// <summary>A process by itself.</summary>
    public static ProcessGroup Solo { get; } = new(0, 1);

    /// <summary>This process's number, from 0. Rank 0 leads.</summary>
    public int Rank { get; }

    public int Size { get; }

    public bool IsSolo => Size == 1;

    /// <summary>How long a call waits for a process that has not ended, unless said otherwise: as PyTorch's. Rank 0 may validate meanwhile.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(30);

    /// <summary>Waits until all processes have come.</summary>
    /// <param name="place">Where; the same for all.</param>
    /// <param name="rank">0 … <paramref name="size"/> - 1, each once.</param>
    /// <param name="size">How many there are.</param>
    /// <param name="meetWithin">How long to wait for all to come.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="answerWithin">How long every later call waits for the others. A process that has ended is noticed at once. Null: <see cref="Patience"/>.</param>
    /// <exception cref="ProcessGroupException">Not all have come in time.</exception>
    public static ProcessGroup Join(MeetingPoint place, int rank, int size, TimeSpan meetWithin, CancellationToken cancel, TimeSpan? answerWithin = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if (rank < 0 || rank >= size) throw new ArgumentOutOfRangeException(nameof(rank), rank, $"Ranks of {size} processes are 0 to {size - 1}.");
        if (size == 1) return Solo;
        var group = new ProcessGroup(rank, size);
        try
        {
            group.Enter(place, meetWithin, answerWithin ?? Patience, cancel);
            return group;
        }
        catch (ExternalException e)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ProcessGroupException($"Process {rank} of {size} did not meet the others at {place} within {meetWithin.TotalSeconds:0} s: look whether all are running. ({e.Message})", e);
        }
    }

    /// <summary>Adds up each of these tensors over all processes, in place and bit for bit the same everywhere. They have one type, and shapes that are the same in all processes.</summary>
    /// <exception cref="ProcessGroupException">Another process has stopped.</exception>
    public void Sum(params IReadOnlyList<Tensor> tensors)
    {
        if (IsSolo || tensors.Count == 0) return;
        Together(() => SumNow(tensors));
    }

    /// <summary>Gives every process what rank 0 has in this tensor.</summary>
    /// <exception cref="ProcessGroupException">Another process has stopped.</exception>
    public void Broadcast(Tensor tensor)
    {
        if (IsSolo || tensor.numel() == 0) return;
        Together(() => BroadcastNow(tensor));
    }

    /// <summary>Gives every process the bytes of rank 0.</summary>
    /// <exception cref="ProcessGroupException">Another process has stopped.</exception>
    public byte[] Broadcast(byte[] bytes)
    {
        if (IsSolo) return bytes;
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var length = tensor(new[] { (long)bytes.Length });
        Broadcast(length);
        var content = Rank == 0 ? tensor(bytes) : zeros([length.item<long>()], ScalarType.Byte);
        Broadcast(content);
        return Rank == 0 ? bytes : content.data<byte>().ToArray();
    }

    /// <summary>Does something that waits for the others, such as a backward pass through synchronised batch normalisation.</summary>
    /// <exception cref="ProcessGroupException">Another process has stopped.</exception>
    public void Together(Action call)
    {
        try
        {
            call();
        }
        catch (ExternalException e) when (e.Message.Contains(Lost, StringComparison.Ordinal))
        {
            throw new ProcessGroupException($"Process {Rank} of {Size} has lost the others: one has stopped, or did not answer in time. Its own log says why. ({e.Message})", e);
        }
    }
}
