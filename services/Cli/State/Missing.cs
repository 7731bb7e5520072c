using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>Errors about names that do not exist: each says what does.</summary>
internal static class Missing
{
    private const int MostListed = 12;

    public static async Task<CliException> Dataset(OpenedHome home, string name, CancellationToken cancel)
    {
        var versions = await home.Database.DatasetVersions(dataset: null, cancel);
        var names = versions.Select(v => v.Dataset).Distinct(StringComparer.Ordinal);
        return new CliException($"There is no dataset '{name}' in {home.AsWritten}. {List(names, "There are")}");
    }

    public static async Task<CliException> Version(OpenedHome home, string dataset, int version, CancellationToken cancel)
    {
        var versions = await home.Database.DatasetVersions(dataset, cancel);
        return versions.Count == 0
            ? await Dataset(home, dataset, cancel)
            : new CliException($"Dataset '{dataset}' has no version {version}. {List(versions.Select(v => $"v{v.Version}"), "It has")}");
    }

    public static async Task<CliException> Run(OpenedHome home, string id, CancellationToken cancel)
    {
        var runs = await home.Database.Runs(dataset: null, cancel);
        return new CliException($"There is no run '{id}' in {home.AsWritten}. {List(runs.Reverse().Select(r => r.Id), "There are")}");
    }

    public static async Task<CliException> Model(OpenedHome home, string model, string which, CancellationToken cancel)
    {
        var all = await home.Database.ModelVersions(model: null, [], bestBy: null, limit: 1000, cancel);
        var versions = all.Where(v => v.Model == model).ToList();
        if (versions.Count == 0)
            return new CliException($"There is no model '{model}' in {home.AsWritten}. {List(all.Select(v => v.Model).Distinct(StringComparer.Ordinal), "There are")}");
        var names = versions.Select(v => $"v{v.Version}").Concat(versions.SelectMany(v => (v.Aliases ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)));
        return new CliException($"Model '{model}' has no version or alias '{which}'. {List(names, "It has")}");
    }

    private static string List(IEnumerable<string> names, string verb)
    {
        var all = names.ToList();
        return all.Count == 0 ? "There is none yet." : $"{verb}: {string.Join(", ", all.Take(MostListed))}{(all.Count > MostListed ? ", …" : "")}.";
    }
}
