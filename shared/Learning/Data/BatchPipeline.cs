using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace DmlPipeline.Learning.Data;

/// <summary>
/// Prepares batches on worker threads ahead of the trainer and hands them out in the order of their steps. What a batch holds depends only on
/// (seed, step), not on the number of threads. One consumer; <see cref="Dispose"/> stops the workers and waits for them.
/// </summary>
public sealed class BatchPipeline : IDisposable
{
    private readonly ImageSet set;
    private readonly IBatchSampler sampler;
    private readonly Augmentation augmentation;
    private readonly long seed;
    private readonly int[]? rows;

    // Everything below is touched only under the gate.
    private readonly object gate = new();
    private readonly (Batch? Batch, Exception? Error)[] ring;
    private readonly Stack<Batch> pool = new();
    private readonly Thread[] workers;
    private long nextToPrepare;
    private long nextToDeliver;
    private TimeSpan waited;
    private bool stopped;

    /// <summary>Starts preparing step <paramref name="firstStep"/> and the following ones, at most <paramref name="ahead"/> steps beyond the trainer.
    /// With <paramref name="rows"/>, batches have the pixels of these places only.</summary>
    public BatchPipeline(ImageSet set, IBatchSampler sampler, Augmentation augmentation, long seed, long firstStep, int threads, int ahead, int[]? rows = null)
    {
        if (augmentation.Problems() is [var problem, ..]) throw new ArgumentException(problem);
        this.set = set;
        this.sampler = sampler;
        this.augmentation = augmentation;
        this.seed = seed;
        this.rows = rows;
        nextToPrepare = nextToDeliver = firstStep;
        ring = new (Batch?, Exception?)[Math.Max(1, ahead)];
        workers = new Thread[Math.Max(1, threads)];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = $"batches {i}" };
            workers[i].Start();
        }
    }

    /// <summary>How long <see cref="Next"/> has waited for a batch in all: near zero when the workers keep up.</summary>
    public TimeSpan Waited
    {
        get { lock (gate) return waited; }
    }

    /// <summary>The batch of the next step. An error met while preparing it comes out here, as it was thrown.</summary>
    public Batch Next(CancellationToken cancel)
    {
        using var wake = cancel.UnsafeRegister(static pipeline => ((BatchPipeline)pipeline!).Wake(), this);
        lock (gate)
        {
            ref var slot = ref ring[nextToDeliver % ring.Length];
            if (slot is (null, null))
            {
                var start = Stopwatch.GetTimestamp();
                while (slot is (null, null) && !stopped && !cancel.IsCancellationRequested) Monitor.Wait(gate);
                waited += Stopwatch.GetElapsedTime(start);
            }
            cancel.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(stopped, this);
            // The error stays in its slot: asking again gives it again instead of waiting for a batch that never comes.
            if (slot.Error is not null) ExceptionDispatchInfo.Throw(slot.Error);

            var batch = slot.Batch!;
            slot = default;
            nextToDeliver++;
            Monitor.PulseAll(gate);
            return batch;
        }
    }

    /// <summary>Takes a batch back so that its memory serves a later step; its content is gone after this.</summary>
    public void Return(Batch batch)
    {
        lock (gate)
        {
            if (pool.Count <= ring.Length) pool.Push(batch);
        }
    }

    /// <summary>Stops the workers; returns when the last has ended.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            stopped = true;
            Monitor.PulseAll(gate);
        }
        foreach (var worker in workers) worker.Join();
    }

    private void Wake()
    {
        lock (gate) Monitor.PulseAll(gate);
    }

    private void Work()
    {
        BackgroundPriority.Lower();
        var filler = new BatchFiller(set, sampler, augmentation, seed, rows);
        while (Claim() is (var step, var batch))
        {
            Exception? error = null;
            try
            {
                filler.Fill(batch, step);
            }
            catch (Exception caught)
            {
                error = caught;
            }
            lock (gate)
            {
                ring[step % ring.Length] = error is null ? (batch, null) : (null, error);
                Monitor.PulseAll(gate);
                if (error is not null) return;
            }
        }
    }

    /// <summary>The next step that nobody prepares yet, and memory for it; waits while the ring is full; null when the pipeline stops.</summary>
    private (long Step, Batch Batch)? Claim()
    {
        lock (gate)
        {
            while (!stopped && nextToPrepare >= nextToDeliver + ring.Length) Monitor.Wait(gate);
            if (stopped) return null;
            return (nextToPrepare++, pool.TryPop(out var pooled) ? pooled : new Batch(sampler.BatchSize, rows?.Length ?? sampler.BatchSize, set.Shape));
        }
    }
}
