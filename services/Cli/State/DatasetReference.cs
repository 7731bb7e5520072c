using System.Globalization;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>A dataset as a person names it: <c>birds</c> (the latest version) or <c>birds@2</c>, <c>birds@v2</c>.</summary>
internal static class DatasetReference
{
    public static (string Name, int? Version) Parse(string text)
    {
        var at = text.LastIndexOf('@');
        if (at < 0) return (text, null);
        return int.TryParse(text[(at + 1)..].TrimStart('v'), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? (text[..at], version)
            : throw new CliException($"'{text}' names no version of a dataset: write {text[..at]}@2, or {text[..at]} for the latest.");
    }

    public static async Task<DatasetVersionRow> Find(OpenedHome home, string text, CancellationToken cancel)
    {
        var (name, version) = Parse(text);
        if (version is null) return await home.Database.LatestDatasetVersion(name, cancel) ?? throw await Missing.Dataset(home, name, cancel);
        return await home.Database.DatasetVersion(name, version.Value, cancel) ?? throw await Missing.Version(home, name, version.Value, cancel);
    }
}
