using System.Collections.Concurrent;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;
using Microsoft.Extensions.Logging.Abstractions;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>A worker whose work is given, and which counts what happens to it.</summary>
internal sealed class TestWorker(Database database, Func<LeasedJob, CancellationToken, Task> work, TimeSpan leaseFor)
    : JobWorker(database, "train", NullLogger.Instance), IAsyncDisposable
{
    private readonly TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken stop;

    /// <summary>So long that a test can look at each wait; it ends them itself.</summary>
    public IReadOnlyList<TimeSpan> Waits { get; } = [.. Enumerable.Range(1, 4).Select(hours => TimeSpan.FromHours(hours))];

    public Func<LeasedJob, CancellationToken, Task> Work { get; set; } = work;

    public Task Running => running.Task;

    public bool StopRequested => stop.IsCancellationRequested;

    public int Attempts { get; private set; }

    public int Ended { get; private set; }

    public ConcurrentQueue<string> Failed { get; } = new();

    public int Cancelled { get; private set; }

    /// <summary>How often storing a failure fails itself.</summary>
    public int FailedThrows { get; set; }

    /// <summary>After an error that is not the job's.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(10);

    public GivingWay? Gives { get; init; }

    public IReadOnlyList<WorkerDevice> May { get; init; } = [WorkerDevice.Cpu];

    public int GaveWay { get; private set; }

    public string WorksOn => Device;

    protected override GivingWay? GivesWay => Gives;

    protected override IReadOnlyList<WorkerDevice> Devices => May;

    protected override JobTiming Timing => new()
    {
        AnnounceEvery = TimeSpan.FromMilliseconds(20),
        LeaseFor = leaseFor,
        HeartbeatEvery = TimeSpan.FromMilliseconds(20),
        PollEvery = TimeSpan.FromMilliseconds(10),
        PauseAfterError = Pause,
        RetryAfter = Waits,
    };

    protected override async Task Run(LeasedJob job, CancellationToken cancel)
    {
        Attempts++;
        stop = cancel;
        running.TrySetResult();
        try
        {
            await Work(job, cancel);
        }
        finally
        {
            Ended++;
        }
    }

    protected override Task OnFailed(Transaction transaction, LeasedJob job, string error)
    {
        if (FailedThrows-- > 0) throw new IOException("cannot be stored");
        Failed.Enqueue(error);
        return Task.CompletedTask;
    }

    protected override Task OnCancelled(Transaction transaction, LeasedJob job)
    {
        Cancelled++;
        return Task.CompletedTask;
    }

    protected override Task OnGaveWay(Transaction transaction, LeasedJob job)
    {
        GaveWay++;
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(default);
        Dispose();
    }
}
