using DmlPipeline.Storage;

namespace DmlPipeline.Chaos.Checks;

/// <summary>What the witness wrote down of jobs and their leases.</summary>
internal static class LeaseChecks
{
    public static async Task<IReadOnlyList<Check>> Of(Database database, int drops, CancellationToken cancel)
    {
        var ends = (await database.Query<(string Kind, long Ends)>(
            "select split_part(job, ':', 1), count(*) from chaos_leases where state = 'done' group by 1", null, cancel)).ToDictionary(row => row.Kind, row => row.Ends, StringComparer.Ordinal);
        return
        [
            new("trainings that ended, each counted as often as it did", drops, ends.GetValueOrDefault("train"), await Twice(database, "train", cancel)),
            new("preparations that ended", drops, ends.GetValueOrDefault("prepare"), await Twice(database, "prepare", cancel)),
            await StateChecks.None(
                database, "leases that another worker took before they had run out",
                """
                select job || ': ' || worker_before || ' had ' || (until_before - at) || ' ms left when ' || worker || ' took it'
                from chaos_leases where state_before = 'leased' and state = 'leased' and worker <> worker_before and until_before > at
                """, cancel),
        ];
    }

    private static async Task<IReadOnlyList<string>> Twice(Database database, string kind, CancellationToken cancel) =>
    [
        .. await database.Query<string>(
            "select job || ' ended ' || count(*) || ' times' from chaos_leases where state = 'done' and split_part(job, ':', 1) = @kind group by job having count(*) > 1", new { kind }, cancel),
    ];
}
