namespace DmlPipeline.Storage.Work;

/// <summary>When a job that runs makes room for an urgent one that no free worker can do.</summary>
public sealed record GivingWay
{
    /// <summary>So long an urgent job waits for a worker to become free by itself.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So long a job runs undisturbed; twice as long each time that it gave way, so that many urgent ones do not keep it from its end.</summary>
    public TimeSpan Undisturbed { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>Asks jobs to make room: one of lower priority for each urgent job that waits, on a worker that can do the urgent one.</summary>
public static class GivingWayRows
{
    private const int MostDoublings = 6;

    /// <summary>Looks for urgent jobs that wait, and asks as many others to make room. Any worker may ask at any time: who was asked already counts.</summary>
    /// <returns>Jobs that were asked now.</returns>
    public static async Task<IReadOnlyList<string>> AskToGiveWay(this Database database, string kind, GivingWay rules, CancellationToken cancel)
    {
        const string urgent = "kind = @kind and state = 'queued' and not_before <= @now and priority >= @high and created_at <= @waiting";
        var asked = new { kind, now = Database.Now, high = (int)JobPriority.High, waiting = Database.Now - (long)rules.After.TotalMilliseconds };
        // Looked at without the write lock first: mostly there are none.
        if (await database.QueryOne<int>($"select count(*) from jobs where {urgent}", asked, cancel) == 0) return [];
        return await database.Write(async transaction =>
        {
            var waiting = await transaction.Query<(string Id, string? Needs, int Priority)>($"select id, needs, priority from jobs where {urgent} order by priority desc, created_at, id", asked);
            var workers = (await transaction.Workers()).Where(worker => worker.Kind == kind && worker.HasDevice).ToList();
            var running = (await transaction.Query<Running>(
                "select id, leased_by, priority, started_at, gave_way, asked_to_give_way from jobs where kind = @kind and state = 'leased'", new { kind }))
                .ToDictionary(job => job.LeasedBy, StringComparer.Ordinal);
            var given = new List<string>();
            foreach (var job in waiting)
            {
                var able = workers.Where(worker => Needs.AreMet(job.Needs, worker.Labels)).ToList();
                var free = able.Find(worker => worker.JobId is null) ?? able.Find(worker => running.TryGetValue(worker.Id, out var other) && other.AskedToGiveWay);
                if (free is null)
                {
                    var other = able.Select(worker => running.GetValueOrDefault(worker.Id))
                        .Where(other => other is not null && other.Priority < job.Priority && MayBeDisturbed(other, rules))
                        .OrderBy(other => other!.Priority).ThenByDescending(other => other!.StartedAt).FirstOrDefault();
                    if (other is null) continue;
                    await transaction.Execute("update jobs set asked_to_give_way = 1 where id = @Id and leased_by = @LeasedBy and state = 'leased'", other);
                    given.Add(other.Id);
                    free = able.Find(worker => worker.Id == other.LeasedBy)!;
                }
                workers.Remove(free);
            }
            return given;
        }, cancel);
    }

    private static bool MayBeDisturbed(Running job, GivingWay rules) =>
        Database.Now - job.StartedAt >= rules.Undisturbed.TotalMilliseconds * Math.Pow(2, Math.Min(job.GaveWay, MostDoublings));

    private sealed record Running
    {
        public required string Id { get; init; }
        public required string LeasedBy { get; init; }
        public required int Priority { get; init; }
        public required long StartedAt { get; init; }
        public required int GaveWay { get; init; }
        public required bool AskedToGiveWay { get; init; }
    }
}
