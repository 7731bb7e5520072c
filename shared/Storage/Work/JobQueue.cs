namespace DmlPipeline.Storage.Work;

/// <summary>A job that waits.</summary>
/// <param name="Id">Kind and subject.</param>
/// <param name="Kind">Which workers can do it.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Priority">Its <see cref="JobPriority"/>.</param>
/// <param name="Needs">What its worker must have; null for any worker.</param>
/// <param name="Share">Among whom workers are shared out.</param>
/// <param name="Since">When it was asked for, in Unix milliseconds.</param>
/// <param name="Why">What it waits for, in a sentence.</param>
public sealed record WaitingJob(string Id, string Kind, string Subject, int Priority, string? Needs, string? Share, long Since, string Why);

/// <summary>What waits, in the order in which it will be done, each with the reason.</summary>
public static class JobQueue
{
    /// <param name="database">The state.</param>
    /// <param name="kind">Only jobs of this kind; null for all.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<IReadOnlyList<WaitingJob>> Waiting(this Database database, string? kind, CancellationToken cancel)
    {
        var now = Database.Now;
        var rows = (await database.Query<Row>(
            $"""
            select id, kind, subject, priority, needs, share, not_before, error, created_at, case when state = 'leased' then leased_by end as silent
            from jobs where {(kind is null ? "" : "kind = @kind and ")}state in ('queued', 'leased') and (state = 'queued' or lease_until < @now)
            order by kind, {Jobs.Order}
            """,
            new { kind, now, recently = now - (long)Jobs.ShareMemory.TotalMilliseconds, longAgo = now - (long)Jobs.LongWait.TotalMilliseconds }, cancel)).ToList();
        if (rows.Count == 0) return [];
        var workers = await database.Workers(cancel);
        var givingWay = (await database.Query<string>("select leased_by from jobs where state = 'leased' and asked_to_give_way = 1", null, cancel)).ToHashSet(StringComparer.Ordinal);
        return [.. rows.GroupBy(row => row.Kind).SelectMany(ofKind => Explain([.. ofKind], [.. workers.Where(worker => worker.Kind == ofKind.Key)], givingWay, now))];
    }

    private static IEnumerable<WaitingJob> Explain(IReadOnlyList<Row> rows, IReadOnlyList<WorkerRow> workers, IReadOnlySet<string> givingWay, long now)
    {
        var ahead = new List<Row>();
        foreach (var row in rows)
        {
            var why = Why(row, ahead, workers, givingWay, now);
            if (row.NotBefore <= now) ahead.Add(row);
            yield return new WaitingJob(row.Id, row.Kind, row.Subject, row.Priority, row.Needs, row.Share, row.CreatedAt, why);
        }
    }

    private static string Why(Row row, List<Row> ahead, IReadOnlyList<WorkerRow> workers, IReadOnlySet<string> givingWay, long now)
    {
        if (row.NotBefore > now)
            return $"{(row.Error is null ? "waits until" : "retry at")} {DateTimeOffset.FromUnixTimeMilliseconds(row.NotBefore).ToLocalTime():HH:mm:ss}{(row.Error is null ? "" : $" after: {row.Error}")}";
        if (workers.Count == 0) return $"no worker for {WorkOf(row.Kind)} is running";
        var able = workers.Where(worker => Needs.AreMet(row.Needs, worker.Labels)).ToList();
        if (able.Count == 0) return $"no worker with {Unmet(row.Needs!, workers)} ({Have(workers)})";
        able = [.. able.Where(worker => worker.HasDevice)];
        if (able.Count == 0) return "every worker waits for a device that another has";
        // What another worker takes is not in the way.
        var before = ahead.Where(other => able.Exists(worker => Needs.AreMet(other.Needs, worker.Labels))).ToList();
        var free = able.Count(worker => worker.JobId is null);
        if (free > before.Count) return row.Silent is null ? "about to start" : "its worker has gone silent; another is about to take it over";
        if (before.Count > 0)
        {
            var urgent = before.Count(other => other.Priority > row.Priority);
            return urgent > 0
                ? $"waiting behind {Runs(urgent, row.Kind)} of higher priority{(before.Count > urgent ? $" and {before.Count - urgent} of the same" : "")}"
                : $"waiting behind {Runs(before.Count, row.Kind)} whose turn is first";
        }
        if (able.Find(worker => givingWay.Contains(worker.Id)) is { } giving) return $"{giving.Subject} saves a checkpoint and makes room";
        return able.Count == 1 ? $"waiting for {able[0].Subject} to end" : $"all {able.Count} workers that can do it are busy";
    }

    /// <summary>The conditions that nobody meets; all of them, when each is met by somebody.</summary>
    private static string Unmet(string text, IReadOnlyList<WorkerRow> workers)
    {
        if (!Needs.TryParse(text, out var needs)) return text;
        var all = needs.All;
        var byNobody = all.Where(need => !workers.Any(worker => need.IsMetBy(worker.Labels))).ToList();
        return string.Join(" and ", byNobody.Count > 0 ? byNobody : all);
    }

    private static string Have(IReadOnlyList<WorkerRow> workers) =>
        string.Join(", ", workers.GroupBy(Describe, StringComparer.Ordinal).OrderByDescending(same => same.Count()).ThenBy(same => same.Key, StringComparer.Ordinal)
            .Select(same => same.Count() == 1 ? $"1 worker has {same.Key}" : $"{same.Count()} workers have {same.Key}"));

    private static string Describe(WorkerRow worker) =>
        !worker.HasDevice ? "no device"
        : worker.Device == "cpu" ? "cpu only"
        : worker.Labels.TryGetValue("gpu-memory", out var memory) ? $"a GPU of {memory}" : "a GPU";

    private static string WorkOf(string kind) => kind switch { "train" => "training", "evaluate" => "evaluation", "prepare" => "preparing drops", "decide" => "decisions", _ => kind };

    private static string Runs(int count, string kind) => $"{count} {(kind == "train" ? "run" : "job")}{(count == 1 ? "" : "s")}";

    private sealed record Row
    {
        public required string Id { get; init; }
        public required string Kind { get; init; }
        public required string Subject { get; init; }
        public required int Priority { get; init; }
        public string? Needs { get; init; }
        public string? Share { get; init; }
        public required long NotBefore { get; init; }
        public string? Error { get; init; }
        public required long CreatedAt { get; init; }
        public string? Silent { get; init; }
    }
}
