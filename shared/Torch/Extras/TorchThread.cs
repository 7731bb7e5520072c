using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>
/// The one thread that torch work runs on. OpenMP keeps a pool of threads for every thread that calls it, and grad mode and dispose
/// scopes belong to a thread, so work that wanders over the thread pool multiplies the first and loses the second.
/// </summary>
public sealed class TorchThread : IDisposable
{
    private readonly BlockingCollection<Action> queue = [];
    private readonly Thread thread;

    /// <summary>Starts the thread; <paramref name="threads"/> as in <see cref="TorchRuntime.Initialize"/>.</summary>
    public TorchThread(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        thread = new Thread(() =>
        {
            foreach (var work in queue.GetConsumingEnumerable()) work();
            // The next job has a thread, and with it an arena of memory, of its own: what this one kept would never be used again.
            if (Initialized!.IsCompletedSuccessfully) TorchRuntime.ReleaseFreeMemory();
        })
        {
            IsBackground = true,
            Name = "torch",
        };
        thread.Start();
        Initialized = Run(() =>
        {
            TorchRuntime.Initialize(threads);
            return true;
        });
    }

    /// <summary>Done when libtorch is loaded, or failed when it cannot be.</summary>
    public Task Initialized { get; }

    /// <summary>
    /// Runs work on the thread, after all work given before. Tensors it makes are disposed at its end, unless they are detached or
    /// are the result.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The thread has been ended.</exception>
    public Task<T> Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            queue.Add(() => Finish(work, done));
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(TorchThread), "The torch thread has ended: no more work is taken.");
        }
        return done.Task;
    }

    /// <summary>Lets the work given so far finish and ends the thread.</summary>
    public void Dispose()
    {
        if (queue.IsAddingCompleted) return;
        queue.CompleteAdding();
        if (Environment.CurrentManagedThreadId != thread.ManagedThreadId) thread.Join();
    }

    private static void Finish<T>(Func<T> work, TaskCompletionSource<T> done)
    {
        try
        {
            using var scope = NewDisposeScope();
            var result = work();
            if (result is Tensor tensor) tensor.DetachFromDisposeScope();
            done.SetResult(result);
        }
        catch (OperationCanceledException e)
        {
            done.SetCanceled(e.CancellationToken);
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }
}
