using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>An error that would come again with every attempt: the job fails at once.</summary>
public class PermanentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Leases jobs of one kind, one at a time, keeps the lease alive while it works, and accounts for every way of ending.</summary>
public abstract class JobWorker(Database database, string kind, ILogger logger) : BackgroundService
{
    private const int MostFailures = 5;
    private static readonly TimeSpan LeaseFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(250);

    private readonly string worker = $"{kind}@{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid().ToString("N")[..6]}";

    protected Database Database => database;

    /// <summary>Does the job and ends it with <see cref="Jobs.Finish"/> in the transaction that stores its effect.</summary>
    protected abstract Task Run(LeasedJob job, CancellationToken cancel);

    /// <summary>Stores, in the transaction that fails the job, what depends on it.</summary>
    protected abstract Task OnFailed(Transaction transaction, LeasedJob job, string error);

    /// <summary>Stores, in the transaction that cancels the job, what depends on it.</summary>
    protected virtual Task OnCancelled(Transaction transaction, LeasedJob job) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await database.Lease(kind, worker, LeaseFor, stoppingToken) is { } job) await Work(job, stoppingToken);
                else await Task.Delay(PollEvery, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.WorkerFailed(e, kind);
                await Task.Delay(TimeSpan.FromSeconds(5), stoppingToken);
            }
        }
    }

    private async Task Work(LeasedJob job, CancellationToken stopping)
    {
        logger.JobStarted(job.Id);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var ended = new CancellationTokenSource();
        var heartbeat = Beat(job, stop, ended.Token);
        try
        {
            await Run(job, stop.Token);
            logger.JobDone(job.Id);
        }
        catch (LeaseLostException e)
        {
            logger.JobLost(job.Id, e.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await ended.CancelAsync();
            await Stopped(job, await heartbeat, stopping.IsCancellationRequested);
        }
        catch (Exception e)
        {
            await Failed(job, e);
        }
        await ended.CancelAsync();
        await heartbeat;
    }

    private async Task Stopped(LeasedJob job, HeartbeatAnswer answer, bool shuttingDown)
    {
        if (answer == HeartbeatAnswer.CancelRequested)
        {
            await database.Write(async transaction =>
            {
                await transaction.Finish(job, "cancelled");
                await OnCancelled(transaction, job);
            }, CancellationToken.None);
            logger.JobCancelled(job.Id);
        }
        else if (shuttingDown)
        {
            await database.Release(job, TimeSpan.Zero, error: null, CancellationToken.None);
            logger.JobHandedBack(job.Id);
        }
        else
        {
            logger.JobLost(job.Id, "the lease ended");
        }
    }

    private async Task Failed(LeasedJob job, Exception error)
    {
        logger.JobFailed(error, job.Id);
        if (error is not PermanentException && job.Failures + 1 < MostFailures)
        {
            // 2, 4, 8, 16 seconds: long enough for a full disk or a busy file to have been seen to.
            await database.Release(job, TimeSpan.FromSeconds(Math.Pow(2, job.Failures + 1)), error.Message, CancellationToken.None);
            return;
        }
        await database.Write(async transaction =>
        {
            await transaction.Finish(job, "failed", error.Message);
            await OnFailed(transaction, job, error.Message);
        }, CancellationToken.None);
    }

    private async Task<HeartbeatAnswer> Beat(LeasedJob job, CancellationTokenSource stop, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(HeartbeatEvery, ended);
                var answer = await database.Heartbeat(job, LeaseFor, ended);
                if (answer == HeartbeatAnswer.Continue) continue;
                await stop.CancelAsync();
                return answer;
            }
            catch (OperationCanceledException)
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
