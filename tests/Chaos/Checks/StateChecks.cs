using DmlPipeline.Chaos.Rig;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Chaos.Checks;

/// <summary>Every drop has become one dataset version, and every version one model.</summary>
internal static class StateChecks
{
    public static async Task<IReadOnlyList<Check>> Of(Database database, IReadOnlyList<Dropped> drops, CancellationToken cancel)
    {
        var expected = drops.Select(drop => $"{drop.Dataset} v{drop.Version}").ToHashSet(StringComparer.Ordinal);
        var versions = (await database.DatasetVersions(dataset: null, cancel)).ToList();
        var models = (await database.Query<(string Model, int Version, string State, string RunId, string Dataset, int DatasetVersion)>(
            "select model, version, state, run_id, dataset, dataset_version from model_versions", null, cancel)).ToList();
        var champions = (await database.Query<(string Model, int Version)>("select model, version from aliases where alias = 'champion'", null, cancel)).ToList();
        var datasets = drops.Select(drop => drop.Dataset).Distinct(StringComparer.Ordinal).ToList();
        return
        [
            Same("dataset versions", expected, versions.Select(row => $"{row.Dataset} v{row.Version}")),
            new("images in the newest versions", drops.Sum(drop => drop.Images), versions.GroupBy(row => row.Dataset).Sum(group => group.MaxBy(row => row.Version)!.Images), []),
            Same("registered models, by what they were trained on", expected, models.Where(model => model.State == "ready").Select(model => $"{model.Dataset} v{model.DatasetVersion}")),
            Check.None("model versions that were begun and not registered", models.Where(model => model.State != "ready").Select(model => $"{model.Model} v{model.Version} is {model.State}")),
            Same("datasets with a champion", datasets, champions.Select(champion => champion.Model)),
            Check.None(
                "champions that are no registered model",
                champions.Where(champion => !models.Exists(model => model.Model == champion.Model && model.Version == champion.Version && model.State == "ready")).Select(champion => $"{champion}")),
            await Count(database, "decisions about champions", drops.Count, "select count(*) from alias_history where alias = 'champion'", cancel),
            await None(database, "drops that came to nothing", "select dataset || ' ' || id || ': ' || state || ' ' || coalesce(reason, '') from drops where state <> 'ready'", cancel),
            await None(database, "runs that did not end in a model", "select id || ': ' || state || ' ' || coalesce(error, '') from runs where state <> 'registered'", cancel),
            await None(database, "jobs that are not done", "select id || ': ' || state || ' ' || coalesce(error, '') from jobs where state <> 'done'", cancel),
            await None(database, "messages that were never sent", "select type || ' ' || message_id from outbox where sent_at is null", cancel),
        ];
    }

    public static async Task<Check> None(Database database, string what, string sql, CancellationToken cancel) => Check.None(what, await database.Query<string>(sql, null, cancel));

    private static async Task<Check> Count(Database database, string what, long expected, string sql, CancellationToken cancel) =>
        new(what, expected, await database.QueryOne<long>(sql, null, cancel), []);

    /// <summary>Each of them once, and no others.</summary>
    private static Check Same(string what, IReadOnlyCollection<string> expected, IEnumerable<string> found)
    {
        var counts = found.CountBy(item => item, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        return new(
            what, expected.Count, counts.Values.Sum(),
            [
                .. expected.Where(item => !counts.ContainsKey(item)).Select(item => $"{item} is missing"),
                .. counts.Where(pair => !expected.Contains(pair.Key)).Select(pair => $"{pair.Key} is there, and nobody dropped it"),
                .. counts.Where(pair => pair.Value > 1).Select(pair => $"{pair.Key} is there {pair.Value} times"),
            ]);
    }
}
