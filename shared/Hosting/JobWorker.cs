using System.Diagnostics;
using System.Diagnostics.Metrics;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>An error that would come again with every attempt: the job fails at once.</summary>
public class PermanentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The job cannot be done yet, through no fault of its own: it is handed back, to be leased again after the delay.</summary>
public sealed class PostponedException(TimeSpan delay, string reason) : Exception(reason)
{
    public TimeSpan Delay => delay;
}

/// <summary>Leases jobs of one kind, one at a time, keeps the lease alive while it works, and accounts for every way of ending.</summary>
public abstract class JobWorker(Database database, string kind, ILogger logger) : BackgroundService
{
    // Unique to this object, so that a lease which another worker took over can never be mistaken for one's own.
    private readonly string worker = $"{kind}@{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid().ToString("N")[..6]}";

    private static readonly Histogram<double> JobDuration =
        new Meter("DmlPipeline").CreateHistogram<double>("dml.job.duration", "s", "Time that a job ran in this process, by how that ended");

    private WorkerPresence? presence;

    protected Database Database => database;

    protected virtual JobTiming Timing => JobTiming.Default;

    /// <summary>What it may work on; it takes the first that no other worker has.</summary>
    protected virtual IReadOnlyList<WorkerDevice> Devices => [WorkerDevice.Cpu];

    /// <summary>When one of its kind makes room for an urgent job; null when they never do.</summary>
    protected virtual GivingWay? GivesWay => null;

    /// <summary>What it works on, while it has a job.</summary>
    protected string Device => presence!.Device.Name;

    /// <summary>Does the job and ends it with <see cref="Jobs.Finish"/> in the transaction that stores its effect.</summary>
    protected abstract Task Run(LeasedJob job, CancellationToken cancel);

    /// <summary>Stores, in the transaction that fails the job, what depends on it.</summary>
    protected abstract Task OnFailed(Transaction transaction, LeasedJob job, string error);

    /// <summary>Stores, in the transaction that cancels the job, what depends on it.</summary>
    protected virtual Task OnCancelled(Transaction transaction, LeasedJob job) => Task.CompletedTask;

    /// <summary>Stores, in the transaction that makes room for an urgent job, what depends on it.</summary>
    protected virtual Task OnGaveWay(Transaction transaction, LeasedJob job) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        presence = new WorkerPresence(database, worker, kind, Devices, GivesWay, Timing.AnnounceEvery, logger);
        using var gone = new CancellationTokenSource();
        var present = presence.Keep(gone.Token);
        await TakeJobs(stoppingToken);
        // Last: until its job is accounted for it is there.
        await gone.CancelAsync();
        await present;
    }

    private async Task TakeJobs(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (presence!.HasDevice && await database.Lease(kind, worker, presence.Labels, Timing.LeaseFor, stoppingToken) is { } job) await Work(job, stoppingToken);
                else await Task.Delay(Timing.PollEvery, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.WorkerFailed(e, kind);
                await Task.Delay(Timing.PauseAfterError, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Work(LeasedJob job, CancellationToken stopping)
    {
        if (job.Starts > Timing.MostStarts)
        {
            await Failed(job, new PermanentException(
                $"the process ended {Timing.MostStarts} times in a row while it did this, each time without a word: perhaps it was killed for lack of memory. Mend that, then resume."));
            return;
        }
        logger.JobStarted(job.Id);
        var started = Stopwatch.GetTimestamp();
        using var activity = Tracing.Source.StartActivity(job.Id, ActivityKind.Internal, job.Trace);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var ended = new CancellationTokenSource();
        var heartbeat = Beat(job, stop, ended.Token);
        Exception? error = null;
        try
        {
            await Run(job, stop.Token);
        }
        catch (Exception e)
        {
            error = e;
        }
        // The heartbeat ends before the job is accounted for: one that went on would keep a failed job leased for ever.
        await ended.CancelAsync();
        var answer = await heartbeat;
        if (error is not (null or PostponedException)) activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        JobDuration.Record(
            Stopwatch.GetElapsedTime(started).TotalSeconds, new("kind", kind), new("outcome", error is null ? "done" : error is OperationCanceledException or PostponedException ? "stopped" : "failed"));
        try
        {
            await Account(job, error, answer, stop.IsCancellationRequested, stopping.IsCancellationRequested);
        }
        catch (LeaseLostException e)
        {
            logger.JobLost(job.Id, e.Message);
        }
    }

    private Task Account(LeasedJob job, Exception? error, HeartbeatAnswer answer, bool stopped, bool shuttingDown)
    {
        switch (error)
        {
            case null:
                logger.JobDone(job.Id);
                return Task.CompletedTask;
            case PostponedException postponed:
                logger.JobPostponed(job.Id, postponed.Message);
                return database.Postpone(job, postponed.Delay, postponed.Message, CancellationToken.None);
            case LeaseLostException:
                logger.JobLost(job.Id, error.Message);
                return Task.CompletedTask;
            case OperationCanceledException when stopped && answer == HeartbeatAnswer.CancelRequested:
                return Cancelled(job);
            case OperationCanceledException when stopped && answer == HeartbeatAnswer.GiveWay:
                return GaveWay(job);
            case OperationCanceledException when stopped && answer == HeartbeatAnswer.LeaseLost:
                logger.JobLost(job.Id, "the lease ended");
                return Task.CompletedTask;
            case OperationCanceledException when shuttingDown:
                return HandBack(job);
            case { } full when NoRoom.IsMeantBy(full):
                logger.JobFailed(full, job.Id);
                return database.HoldUp(job, Timing.RetryWhenFull, $"there is no room left: {full.Message.TrimEnd('.')}. Free some; it goes on by itself", CancellationToken.None);
            case { } away when Outage.IsMeantBy(away):
                logger.JobFailed(away, job.Id);
                return database.HoldUp(job, Timing.RetryAfterOutage, $"{away.Message.TrimEnd('.')}. When that is over it goes on by itself", CancellationToken.None);
            default:
                return Failed(job, error);
        }
    }

    private async Task Cancelled(LeasedJob job)
    {
        await database.Write(async transaction =>
        {
            await transaction.Finish(job, "cancelled");
            await OnCancelled(transaction, job);
        }, CancellationToken.None);
        logger.JobCancelled(job.Id);
    }

    private async Task GaveWay(LeasedJob job)
    {
        await database.Write(async transaction =>
        {
            if (await transaction.GiveWay(job)) await OnGaveWay(transaction, job);
        }, CancellationToken.None);
        logger.JobGaveWay(job.Id);
    }

    private async Task HandBack(LeasedJob job)
    {
        await database.Release(job, TimeSpan.Zero, error: null, CancellationToken.None);
        logger.JobHandedBack(job.Id);
    }

    private async Task Failed(LeasedJob job, Exception error)
    {
        logger.JobFailed(error, job.Id);
        if (error is not PermanentException && job.Failures < Timing.RetryAfter.Count)
        {
            await database.Release(job, Timing.RetryAfter[(int)job.Failures], error.Message, CancellationToken.None);
            return;
        }
        await database.Write(async transaction =>
        {
            await transaction.Finish(job, "failed", error.Message);
            await OnFailed(transaction, job, error.Message);
        }, CancellationToken.None);
    }

    /// <summary>Returns when <paramref name="ended"/>, or when the work is to stop, with the reason.</summary>
    private async Task<HeartbeatAnswer> Beat(LeasedJob job, CancellationTokenSource stop, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Timing.HeartbeatEvery, ended);
                var answer = await database.Heartbeat(job, Timing.LeaseFor, ended);
                if (answer == HeartbeatAnswer.Continue) continue;
                await stop.CancelAsync();
                return answer;
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // The lease outlasts many heartbeats; a database that is busy for a moment ends nothing.
                logger.WorkerFailed(e, kind);
            }
        }
        return HeartbeatAnswer.Continue;
    }
}
