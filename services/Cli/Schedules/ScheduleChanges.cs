using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Schedules;

/// <summary>What a file changes about the stored schedules and policies, and the doing of it.</summary>
/// <param name="Sign"><c>+</c> for something new, <c>~</c> for a change, <c>-</c> for what goes.</param>
/// <param name="What">Such as <c>schedule birds-nightly</c>.</param>
/// <param name="How">Each key with what it was and is.</param>
/// <param name="Apply">Does it.</param>
internal sealed record ScheduleChange(string Sign, string What, string How, Func<Transaction, long, Task> Apply)
{
    /// <summary>Schedules that another file or a person declared stay; policies are the files' alone.</summary>
    public static IReadOnlyList<ScheduleChange> Between(IReadOnlyList<ScheduleRow> rows, IReadOnlyDictionary<string, string> policies, IReadOnlyList<ScheduleFile> files)
    {
        var changes = new List<ScheduleChange>();
        var before = rows.ToDictionary(row => row.Name, StringComparer.Ordinal);
        var declared = new SortedDictionary<string, DeclaredSchedule>(StringComparer.Ordinal);
        var rules = new SortedDictionary<string, PolicySettings>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var (name, schedule) in file.Schedules)
                if (!declared.TryAdd(name, schedule)) throw new CliException($"Two files declare the schedule {name}: keep one of them.");
            foreach (var (dataset, policy) in file.Policies)
                if (!rules.TryAdd(dataset, policy)) throw new CliException($"Two files declare a policy for {dataset}: keep one of them.");
        }
        foreach (var (name, schedule) in declared)
        {
            var old = before.GetValueOrDefault(name);
            var how = Differences(old is null ? null : Keys(old.Definition, old.Paused), Keys(schedule.Schedule, schedule.Paused ?? old?.Paused ?? false));
            if (how.Count == 0 && old!.Source == ScheduleRows.FromFile) continue;
            if (how.Count == 0) how.Add($"declared by {old!.Source} until now");
            changes.Add(new ScheduleChange(
                old is null ? "+" : "~", $"schedule {name}", string.Join(", ", how), (transaction, now) => transaction.Put(schedule.Schedule, ScheduleRows.FromFile, schedule.Paused, now)));
        }
        foreach (var row in rows.Where(row => row.Source == ScheduleRows.FromFile && !declared.ContainsKey(row.Name)))
            changes.Add(new ScheduleChange("-", $"schedule {row.Name}", "no file declares it any more", (transaction, _) => transaction.Remove(row.Name)));
        foreach (var (dataset, policy) in rules)
        {
            var how = Differences(policies.TryGetValue(dataset, out var old) ? Keys(PolicySettings.Parse(old)) : null, Keys(policy));
            if (how.Count == 0 && old is not null) continue;
            changes.Add(new ScheduleChange(old is null ? "+" : "~", $"policy {dataset}", string.Join(", ", how), (transaction, now) => transaction.Execute(
                """
                insert into retraining_policies (dataset, policy_json, changed_at) values (@dataset, @json, @now)
                on conflict (dataset) do update set policy_json = excluded.policy_json, changed_at = excluded.changed_at
                """, new { dataset, json = policy.ToJson(), now })));
        }
        foreach (var dataset in policies.Keys.Where(dataset => !rules.ContainsKey(dataset)))
            changes.Add(new ScheduleChange(
                "-", $"policy {dataset}", "no file declares it any more", (transaction, _) => transaction.Execute("delete from retraining_policies where dataset = @dataset", new { dataset })));
        return changes;
    }

    /// <summary>The declaration as in a file, what is as by default left out.</summary>
    public static SortedDictionary<string, string> Keys(ScheduleDefinition schedule, bool paused)
    {
        var keys = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["dataset"] = schedule.Dataset, ["cron"] = schedule.Cron, ["timezone"] = schedule.TimeZone };
        if (schedule.Recipe.Length > 0) keys["recipe"] = schedule.Recipe;
        if (schedule.Except.Count > 0) keys["except"] = string.Join(' ', schedule.Except);
        if (schedule.JitterSeconds > 0) keys["jitter"] = $"{schedule.JitterSeconds}s";
        if (schedule.MaxConcurrent != 1) keys["max-concurrent"] = $"{schedule.MaxConcurrent}";
        if (schedule.Missed != ScheduleDefinition.OnceMissed) keys["missed"] = schedule.Missed;
        if (schedule.Force) keys["force"] = "true";
        if (paused) keys["paused"] = "true";
        return keys;
    }

    public static SortedDictionary<string, string> Keys(PolicySettings policy)
    {
        var (own, otherwise) = ((JsonObject)Screen.ToJson(policy)!, (JsonObject)Screen.ToJson(new PolicySettings())!);
        return new(own.Where(key => key.Value is not null && key.Value.ToJsonString() != otherwise[key.Key]?.ToJsonString()).ToDictionary(key => ScheduleFile.KeyOf(key.Key), key => key.Value!.ToString(), StringComparer.Ordinal), StringComparer.Ordinal);
    }

    private static List<string> Differences(SortedDictionary<string, string>? before, SortedDictionary<string, string> after)
    {
        if (before is null) return [.. after.Select(key => $"{key.Key} {key.Value}")];
        return [.. before.Keys.Union(after.Keys, StringComparer.Ordinal).Where(key => before.GetValueOrDefault(key) != after.GetValueOrDefault(key))
            .Select(key => $"{key} {before.GetValueOrDefault(key) ?? "(default)"} -> {after.GetValueOrDefault(key) ?? "(default)"}")];
    }
}
