using System.Text.Json.Nodes;

namespace DmlPipeline.Storage.State;

/// <summary>Something that a person should look at.</summary>
/// <param name="Kind">One of <see cref="Troubles.Kinds"/>.</param>
/// <param name="Subject">What it is about: a run, a queue, a drop, a webhook, a schedule.</param>
/// <param name="What">What is wrong, in a sentence.</param>
/// <param name="Since">Since when.</param>
/// <param name="Remedy">What to do.</param>
public sealed record Trouble(string Kind, string Subject, string What, DateTimeOffset Since, string Remedy);

/// <summary>From when on something counts as trouble.</summary>
public sealed record TroubleLimits
{
    /// <summary>Due work that nobody begins, while nobody does any other of its kind.</summary>
    public TimeSpan QueueWaits { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A message that is not sent, work whose worker fell silent and that nobody takes over, or that a full disk or an absent store holds up.</summary>
    public TimeSpan Silent { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Share of a drop's images that were refused.</summary>
    public double QuarantineShare { get; init; } = 0.1;
}

/// <summary>Finds troubles of a kind that only some service understands: limits, now in Unix milliseconds.</summary>
public sealed record TroubleSource(Func<Database, TroubleLimits, long, CancellationToken, Task<IEnumerable<Trouble>>> Find);

/// <summary>What is wrong, found in the state alone: each is a question to the database, and nothing has to have been running to notice.</summary>
public static class Troubles
{
    public const string FailedRun = "failed-run", StuckQueue = "stuck-queue", HeldUp = "held-up", UnsentMessages = "unsent-messages", RejectedDrop = "rejected-drop", Quarantine = "quarantine", Webhook = "webhook", LateSchedule = "late-schedule";

    public static readonly IReadOnlyList<string> Kinds = [FailedRun, StuckQueue, HeldUp, UnsentMessages, RejectedDrop, Quarantine, Webhook, LateSchedule];

    /// <param name="database">The database.</param>
    /// <param name="limits">From when on.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="cancel">Ends the queries.</param>
    /// <param name="sources">Others who know of troubles.</param>
    /// <returns>The oldest first.</returns>
    public static async Task<IReadOnlyList<Trouble>> All(Database database, TroubleLimits limits, long now, CancellationToken cancel, params IEnumerable<TroubleSource> sources)
    {
        List<Trouble> found =
        [
            .. await FailedRuns(database, cancel), .. await StuckQueues(database, limits, now, cancel), .. await WorkHeldUp(database, limits, now, cancel), .. await Unsent(database, limits, now, cancel),
            .. await Drops(database, limits, cancel), .. await Webhooks(database, cancel),
        ];
        foreach (var source in sources) found.AddRange(await source.Find(database, limits, now, cancel));
        return [.. found.OrderBy(trouble => trouble.Since)];
    }

    /// <summary>Runs that failed, as long as no later one of their dataset succeeded.</summary>
    private static async Task<IEnumerable<Trouble>> FailedRuns(Database database, CancellationToken cancel) =>
        (await database.Query<RunRow>(
            """
            select * from runs r where state = 'failed' and not exists (
                select 1 from runs later where later.dataset = r.dataset and later.created_at > r.created_at and later.state in ('trained', 'evaluated', 'registered'))
            """, null, cancel))
        .Select(run => new Trouble(FailedRun, run.Id, $"the run {run.Id} on {run.Dataset} v{run.DatasetVersion} failed: {run.Error}", Time(run.FinishedAt ?? run.CreatedAt), $"mend that, then: dml resume {run.Id}"));

    private static async Task<IEnumerable<Trouble>> StuckQueues(Database database, TroubleLimits limits, long now, CancellationToken cancel)
    {
        var waits = await database.Query<(string Kind, long Count, long Since)>(
            """
            select kind, count(*), min(updated_at) from jobs j
            where state = 'queued' and not_before < @before and updated_at < @before and not exists (select 1 from jobs busy where busy.kind = j.kind and busy.state = 'leased')
            group by kind order by kind
            """, new { before = now - (long)limits.QueueWaits.TotalMilliseconds }, cancel);
        var silent = await database.Query<(string Kind, long Count, long Since)>(
            "select kind, count(*), min(lease_until) from jobs where state = 'leased' and lease_until < @before group by kind order by kind",
            new { before = now - (long)limits.Silent.TotalMilliseconds }, cancel);
        return
        [
            .. waits.Select(row => new Trouble(StuckQueue, row.Kind, $"{row.Count} of kind {row.Kind} wait, and nobody works on any", Time(row.Since), "start a process that does such work: dml up, or dml serve")),
            .. silent.Select(row => new Trouble(StuckQueue, row.Kind, $"{row.Count} of kind {row.Kind} lost their worker, and nobody takes over", Time(row.Since), "start a process that does such work: dml up, or dml serve")),
        ];
    }

    private static async Task<IEnumerable<Trouble>> WorkHeldUp(Database database, TroubleLimits limits, long now, CancellationToken cancel) =>
        (await database.Query<(string Kind, long Count, long Since, string Reason)>(
            "select kind, count(*), min(held_up_since), max(error) from jobs where state = 'queued' and held_up_since < @before group by kind order by kind",
            new { before = now - (long)limits.Silent.TotalMilliseconds }, cancel))
        .Select(row => new Trouble(HeldUp, row.Kind, $"{row.Count} of kind {row.Kind} cannot be done: {row.Reason}", Time(row.Since), "mend that; nothing else has to be done"));

    private static async Task<IEnumerable<Trouble>> Unsent(Database database, TroubleLimits limits, long now, CancellationToken cancel)
    {
        var (count, since) = await database.QueryOne<(long, long?)>(
            "select count(*), min(created_at) from outbox where sent_at is null and created_at < @before", new { before = now - (long)limits.Silent.TotalMilliseconds }, cancel);
        return count == 0 ? [] : [new Trouble(UnsentMessages, "outbox", $"{count} messages have not been sent", Time(since!.Value), "look whether the broker answers, and whether any process runs")];
    }

    /// <summary>The latest drop of each dataset, when it was rejected or much of it was refused.</summary>
    private static async Task<IEnumerable<Trouble>> Drops(Database database, TroubleLimits limits, CancellationToken cancel)
    {
        var latest = await database.Query<DropRow>(
            """
            select * from drops where id in (
                select id from (select id, row_number() over (partition by dataset order by finished_at desc, id desc) as place from drops where finished_at is not null) ended where place = 1)
            """, null, cancel);
        return latest.Select(drop => OfDrop(drop, limits)).OfType<Trouble>();
    }

    private static Trouble? OfDrop(DropRow drop, TroubleLimits limits)
    {
        if (drop.State == "rejected") return new Trouble(RejectedDrop, drop.Id, $"the drop into {drop.Dataset} was rejected: {drop.Reason}", Time(drop.FinishedAt!.Value), $"dml datasets show {drop.Dataset}");
        if (drop.OutcomeJson is null || JsonNode.Parse(drop.OutcomeJson)?["counts"] is not { } counts) return null;
        var refused = Count("quarantined");
        var images = Count("added") + Count("duplicates") + refused;
        return images == 0 || (double)refused / images <= limits.QuarantineShare ? null
            : new Trouble(Quarantine, drop.Id, $"{refused} of {images} images dropped into {drop.Dataset} were refused", Time(drop.FinishedAt!.Value), $"dml datasets show {drop.Dataset} says why");

        long Count(string name) => (long?)counts[name] ?? 0;
    }

    private static async Task<IEnumerable<Trouble>> Webhooks(Database database, CancellationToken cancel) =>
        (await database.Query<(string Id, string Url, long Count, long Since)>(
            """
            select w.id, w.url, count(*), min(d.created_at) from webhooks w join webhook_deliveries d on d.webhook_id = w.id
            where w.removed_at is null and d.state = 'failed' group by w.id, w.url order by w.id
            """, null, cancel))
        .Select(row => new Trouble(Webhook, row.Id, $"{row.Count} deliveries to {row.Url} were given up", Time(row.Since), $"mend the receiver, then: dml webhooks replay --failed"));

    private static DateTimeOffset Time(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);
}
