using System.Text.Json;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage.Work;

/// <summary>A worker as it announces itself.</summary>
public sealed record WorkerRow
{
    /// <summary>As in the leases of its jobs.</summary>
    public required string Id { get; init; }

    /// <summary>Of the jobs that it does: <c>prepare</c>, <c>train</c> or <c>evaluate</c>.</summary>
    public required string Kind { get; init; }

    public required string Host { get; init; }
    public required int ProcessId { get; init; }

    /// <summary><c>cpu</c> or <c>cuda:0</c>; <c>none</c> while others have all that it may use.</summary>
    public required string Device { get; init; }

    public required string LabelsJson { get; init; }
    public required long StartedAt { get; init; }
    public required long SeenAt { get; init; }

    /// <summary>What it works on; null when it is free.</summary>
    public string? JobId { get; init; }

    /// <summary>What that job is about.</summary>
    public string? Subject { get; init; }

    public long? JobStartedAt { get; init; }

    public IReadOnlyDictionary<string, string> Labels => JsonSerializer.Deserialize<Dictionary<string, string>>(LabelsJson, ContractJson.Compact)!;

    /// <summary>It may take jobs.</summary>
    public bool HasDevice => Device != NoDevice;

    /// <summary>What <see cref="Device"/> says of a worker that waits for one.</summary>
    public const string NoDevice = "none";
}

/// <summary>Who works, and on which device: rows that their workers renew.</summary>
public static class WorkerRows
{
    /// <summary>A worker that was silent for so long is gone, and its device free. As long as a job's lease.</summary>
    public static readonly TimeSpan GoneAfter = TimeSpan.FromSeconds(30);

    /// <summary>Announces a worker, or that it is still there.</summary>
    public static Task Announce(this Database database, WorkerRow worker, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute(
            """
            insert into workers (id, kind, host, process_id, device, labels_json, started_at, seen_at)
            values (@Id, @Kind, @Host, @ProcessId, @Device, @LabelsJson, @StartedAt, @now)
            on conflict (id) do update set device = excluded.device, labels_json = excluded.labels_json, seen_at = excluded.seen_at
            """,
            new { worker.Id, worker.Kind, worker.Host, worker.ProcessId, worker.Device, worker.LabelsJson, worker.StartedAt, now = Database.Now }), cancel);

    /// <summary>Takes a device for an announced worker alone, if no other has it.</summary>
    public static Task<bool> Claim(this Database database, string worker, string claim, CancellationToken cancel) =>
        database.Write(async transaction =>
        {
            var silent = Database.Now - (long)GoneAfter.TotalMilliseconds;
            await transaction.Execute("update workers set claim = null where claim = @claim and id <> @worker and seen_at < @silent", new { claim, worker, silent });
            return await transaction.Execute(
                "update workers set claim = @claim where id = @worker and not exists (select 1 from workers other where other.claim = @claim and other.id <> @worker)",
                new { claim, worker }) == 1;
        }, cancel);

    /// <returns>Whether the worker still has the device that it claimed: it was not silent for so long that another took it.</returns>
    public static async Task<bool> HasClaim(this Database database, string worker, CancellationToken cancel) =>
        await database.QueryOne<string>("select claim from workers where id = @worker", new { worker }, cancel) is not null;

    /// <summary>Takes a worker off the list, and with it what others have left there long ago.</summary>
    public static Task Leave(this Database database, string worker, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute(
            "delete from workers where id = @worker or seen_at < @longAgo", new { worker, longAgo = Database.Now - (long)TimeSpan.FromHours(1).TotalMilliseconds }), cancel);

    /// <summary>Takes all workers off the list. Only for a process that knows that no other works on this database.</summary>
    public static Task LeaveAll(this Database database, CancellationToken cancel) =>
        database.WriteStatement(transaction => transaction.Execute("delete from workers"), cancel);

    /// <summary>The workers that are there, and what each works on.</summary>
    public static async Task<IReadOnlyList<WorkerRow>> Workers(this Database database, CancellationToken cancel) =>
        [.. await database.Query<WorkerRow>(Present, new { seen = Database.Now - (long)GoneAfter.TotalMilliseconds }, cancel)];

    internal static async Task<IReadOnlyList<WorkerRow>> Workers(this Transaction transaction) =>
        [.. await transaction.Query<WorkerRow>(Present, new { seen = Database.Now - (long)GoneAfter.TotalMilliseconds })];

    private const string Present =
        """
        select w.id, w.kind, w.host, w.process_id, w.device, w.labels_json, w.started_at, w.seen_at, j.id as job_id, j.subject, j.started_at as job_started_at
        from workers w left join jobs j on j.kind = w.kind and j.state = 'leased' and j.leased_by = w.id
        where w.seen_at >= @seen order by w.kind, w.host, w.device, w.id
        """;
}
