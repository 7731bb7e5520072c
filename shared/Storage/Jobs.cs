using System.Diagnostics;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Storage;

/// <summary>A job that this worker holds until the lease ends.</summary>
/// <param name="Id">Kind and subject, for example <c>train:birds-v3</c>.</param>
/// <param name="Kind">Which workers can do it: <c>prepare</c>, <c>train</c> or <c>evaluate</c>.</param>
/// <param name="Subject">What the job is about: a run or a drop.</param>
/// <param name="Failures">Attempts that ended in an exception.</param>
/// <param name="Starts">How often it was started since it last made lasting progress, this time included.</param>
/// <param name="Worker">Who holds the lease.</param>
/// <param name="Trace">W3C trace context of what asked for it; null when nobody traced that.</param>
public sealed record LeasedJob(string Id, string Kind, string Subject, long Failures, long Starts, string Worker, string? Trace);

public enum HeartbeatAnswer { Continue, CancelRequested, GiveWay, LeaseLost }

/// <summary>Leased job rows: long work that outlives messages, workers and processes.</summary>
public static class Jobs
{
    /// <summary>What was started so long ago counts no more in its owner's share.</summary>
    internal static readonly TimeSpan ShareMemory = TimeSpan.FromHours(1);

    /// <summary>Having waited so long, low priority goes with the normal ones.</summary>
    internal static readonly TimeSpan LongWait = TimeSpan.FromDays(1);

    private static readonly Dictionary<string, string> NoLabels = [];

    /// <summary>What can be leased now, as a condition. The states are named twice so that an index finds them beside any number of finished jobs.</summary>
    internal const string Waiting = "kind = @kind and state in ('queued', 'leased') and (state = 'queued' and not_before <= @now or state = 'leased' and lease_until < @now)";

    /// <summary>
    /// In which order: by priority; of the same, those first who have the fewest trainings under way or of the last hour; then the oldest.
    /// </summary>
    internal const string Order =
        """
        case when jobs.priority < 0 and jobs.created_at < @longAgo then 0 else jobs.priority end desc,
        case when jobs.share is null then 0 else
            (select count(*) from jobs busy where busy.kind = jobs.kind and busy.share = jobs.share and busy.state = 'leased')
            + (select count(*) from jobs done where done.kind = jobs.kind and done.share = jobs.share and done.state = 'done' and done.started_at >= @recently) end,
        jobs.created_at, jobs.id
        """;

    public static string Id(string kind, string subject) => $"{kind}:{subject}";

    /// <summary>Queues the job unless it exists already, in whatever state.</summary>
    /// <param name="transaction">Where.</param>
    /// <param name="kind">Which workers can do it.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="priority">The larger the sooner; see <see cref="JobPriority"/>.</param>
    /// <param name="needs">What its worker must have, as <see cref="Needs"/> writes it; null for any worker.</param>
    /// <param name="share">Among whom workers are shared out fairly: the dataset; null when it does not matter.</param>
    public static Task<int> Enqueue(this Transaction transaction, string kind, string subject, int priority = 0, string? needs = null, string? share = null) =>
        transaction.Execute(
            """
            insert into jobs (id, kind, subject, state, priority, needs, share, trace, created_at, updated_at)
            values (@id, @kind, @subject, 'queued', @priority, @needs, @share, @trace, @now, @now) on conflict do nothing
            """,
            new { id = Id(kind, subject), kind, subject, priority, needs, share, trace = Activity.Current?.Id, now = Database.Now });

    /// <summary>Queues a finished job again, for example a cancelled one that is to be resumed.</summary>
    public static Task<int> Requeue(this Transaction transaction, string kind, string subject) =>
        transaction.Execute(
            """
            update jobs set state = 'queued', failures = 0, leases = 0, not_before = 0, cancel_requested = 0, asked_to_give_way = 0, error = null,
                leased_by = null, lease_until = null, created_at = @now, updated_at = @now
            where id = @id and state in ('done', 'failed', 'cancelled')
            """,
            new { id = Id(kind, subject), now = Database.Now });

    /// <summary>Takes the next job that is waiting and asks nothing of its worker, or one whose worker has gone silent.</summary>
    public static Task<LeasedJob?> Lease(this Database database, string kind, string worker, TimeSpan lease, CancellationToken cancel) =>
        database.Lease(kind, worker, NoLabels, lease, cancel);

    /// <summary>Takes the next job that is waiting, or one whose worker has gone silent; of those whose needs the worker's labels meet.</summary>
    public static async Task<LeasedJob?> Lease(
        this Database database, string kind, string worker, IReadOnlyDictionary<string, string> labels, TimeSpan lease, CancellationToken cancel)
    {
        // Looked at without the write lock first: an idle worker must not disturb the others.
        var needs = (await database.Query<string?>($"select distinct needs from jobs where {Waiting}", new { kind, now = Database.Now }, cancel)).ToList();
        var met = needs.Where(each => Needs.AreMet(each, labels)).ToList();
        if (met.Count == 0) return null;
        // The times are taken inside the transaction: the wait for the write lock must not eat up the lease.
        return await database.WriteStatement(transaction => transaction.QueryOne<LeasedJob>(
            $"""
            update jobs set state = 'leased', leased_by = @worker, lease_until = @until, leases = leases + 1, asked_to_give_way = 0, started_at = @now, updated_at = @now
            where id = (select id from jobs where {Waiting} and (needs is null or needs {database.IsAnyOf("@met")}) order by {Order} limit 1 {database.SkipLocked})
            returning id, kind, subject, failures, leases as starts, leased_by as worker, trace
            """,
            new
            {
                kind, worker, met = met.OfType<string>().ToArray(), now = Database.Now, until = Database.Now + (long)lease.TotalMilliseconds,
                recently = Database.Now - (long)ShareMemory.TotalMilliseconds, longAgo = Database.Now - (long)LongWait.TotalMilliseconds,
            }), cancel);
    }

    /// <summary>Extends the lease and asks whether the work should go on.</summary>
    public static Task<HeartbeatAnswer> Heartbeat(this Database database, LeasedJob job, TimeSpan lease, CancellationToken cancel) =>
        database.WriteStatement(async transaction =>
        {
            var asked = await transaction.QueryOne<(bool Cancel, bool GiveWay)?>(
                """
                update jobs set lease_until = @until, updated_at = @now where id = @id and leased_by = @worker and state = 'leased'
                returning cancel_requested, asked_to_give_way
                """,
                new { id = job.Id, worker = job.Worker, now = Database.Now, until = Database.Now + (long)lease.TotalMilliseconds });
            return asked switch
            {
                null => HeartbeatAnswer.LeaseLost,
                { Cancel: true } => HeartbeatAnswer.CancelRequested,
                { GiveWay: true } => HeartbeatAnswer.GiveWay,
                _ => HeartbeatAnswer.Continue,
            };
        }, cancel);

    /// <summary>Whether nobody else has taken the job over; only asked, unlike in a heartbeat.</summary>
    public static async Task<bool> IsHeld(this Database database, LeasedJob job, CancellationToken cancel) =>
        await database.QueryOne<string>("select id from jobs where id = @id and leased_by = @worker and state = 'leased'", new { id = job.Id, worker = job.Worker }, cancel) is not null;

    /// <summary>Notes that something was saved that the next start goes on from: the starts before it count no more, nor what held them up.</summary>
    public static Task MadeProgress(this Database database, LeasedJob job, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute(
            "update jobs set leases = 1, held_up_since = null where id = @id and leased_by = @worker and (leases > 1 or held_up_since is not null)", new { id = job.Id, worker = job.Worker }), cancel);

    /// <summary>Ends the job inside the transaction that stores its effect.</summary>
    /// <exception cref="LeaseLostException">Another worker took the job over; the transaction must not commit.</exception>
    public static async Task Finish(this Transaction transaction, LeasedJob job, string state = "done", string? error = null)
    {
        var rows = await transaction.Execute(
            """
            update jobs set state = @state, error = @error, leased_by = null, lease_until = null, cancel_requested = 0, asked_to_give_way = 0, updated_at = @now
            where id = @id and leased_by = @worker and state = 'leased'
            """,
            new { id = job.Id, worker = job.Worker, state, error, now = Database.Now });
        if (rows == 0) throw new LeaseLostException(job);
    }

    /// <summary>Gives the job back, to be taken again after the delay. A start that ended in order is no start that came to nothing.</summary>
    public static Task Release(this Database database, LeasedJob job, TimeSpan delay, string? error, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute(
            """
            update jobs set state = 'queued', leased_by = null, lease_until = null, not_before = @notBefore, error = @error,
                failures = failures + @failed, leases = 0, asked_to_give_way = 0, held_up_since = null, updated_at = @now
            where id = @id and leased_by = @worker and state = 'leased'
            """,
            new { id = job.Id, worker = job.Worker, now = Database.Now, notBefore = Database.Now + (long)delay.TotalMilliseconds, error, failed = error is null ? 0 : 1 }), cancel);

    /// <summary>Gives the job back, which has not failed but cannot be done before the delay is over.</summary>
    public static Task Postpone(this Database database, LeasedJob job, TimeSpan delay, string reason, CancellationToken cancel) =>
        database.Postpone(job, delay, reason, isHeldUp: false, cancel);

    /// <summary>As Postpone, for what somebody has to mend: after a while it counts as trouble.</summary>
    public static Task HoldUp(this Database database, LeasedJob job, TimeSpan delay, string reason, CancellationToken cancel) =>
        database.Postpone(job, delay, reason, isHeldUp: true, cancel);

    private static Task Postpone(this Database database, LeasedJob job, TimeSpan delay, string reason, bool isHeldUp, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute(
            $"""
            update jobs set state = 'queued', leased_by = null, lease_until = null, not_before = @notBefore, error = @reason,
                leases = 0, asked_to_give_way = 0, held_up_since = {(isHeldUp ? "coalesce(held_up_since, @now)" : "null")}, updated_at = @now
            where id = @id and leased_by = @worker and state = 'leased'
            """,
            new { id = job.Id, worker = job.Worker, now = Database.Now, notBefore = Database.Now + (long)delay.TotalMilliseconds, reason }), cancel);

    /// <summary>Gives the job back for a more urgent one's sake; it has not failed, and is protected for longer each time that it goes on.</summary>
    /// <returns>False when another worker has it.</returns>
    public static Task<bool> GiveWay(this Transaction transaction, LeasedJob job) => Changed(transaction.Execute(
        """
        update jobs set state = 'queued', leased_by = null, lease_until = null, not_before = 0, error = null,
            leases = 0, asked_to_give_way = 0, gave_way = gave_way + 1, updated_at = @now
        where id = @id and leased_by = @worker and state = 'leased'
        """,
        new { id = job.Id, worker = job.Worker, now = Database.Now }));

    /// <summary>Takes every lease back. Only for a process that knows that no other works on this database.</summary>
    public static Task ReleaseAll(this Database database, CancellationToken cancel) =>
        database.Write(transaction => transaction.Execute(
            "update jobs set state = 'queued', leased_by = null, lease_until = null, asked_to_give_way = 0, updated_at = @now where state = 'leased'", new { now = Database.Now }), cancel);

    private static async Task<bool> Changed(Task<int> rows) => await rows == 1;
}

/// <summary>The worker was too slow to extend its lease: another one has the job now, and this one's result must be dropped.</summary>
public sealed class LeaseLostException(LeasedJob job) : Exception($"The lease on {job.Id} was lost: another worker has taken the job over.");
