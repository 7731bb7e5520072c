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
        var models = await home.Database.Models(cancel);
        if (models.FirstOrDefault(each => each.Model == model) is not { } known)
            return new CliException($"There is no model '{model}' in {home.AsWritten}. {List(models.Select(each => each.Model), "There are")}");
        var versions = await home.Database.ModelVersions(model, [], bestBy: null, limit: MostListed + 1, offset: 0, cancel);
        // Aliases first: of a thousand versions they are what is looked for.
        var names = known.Aliases.Keys.Concat(versions.Select(v => $"v{v.Version}"));
        return new CliException($"Model '{model}' has no version or alias '{which}'. {List(names, "It has")}");
    }

    private static string List(IEnumerable<string> names, string verb)
    {
        var all = names.ToList();
        return all.Count == 0 ? "There is none yet." : $"{verb}: {string.Join(", ", all.Take(MostListed))}{(all.Count > MostListed ? ", …" : "")}.";
    }
}
