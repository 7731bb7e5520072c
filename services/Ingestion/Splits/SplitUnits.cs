using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;

namespace DmlPipeline.Ingestion.Splits;

/// <summary>What is divided between the splits: single classes, or first folders with all their classes.</summary>
/// <param name="By"><see cref="ByClass"/> or <see cref="ByFirstFolder"/>.</param>
internal sealed record SplitUnits(string By, string Reason)
{
    public const string ByClass = "class";
    public const string ByFirstFolder = "first-folder";

    // Fewer folders than this divide too coarsely: one folder more or less in the test would decide the result.
    private const int MinFolders = 10;

    public string UnitOf(string className) => By == ByFirstFolder ? EntryPath.FirstSegment(className) : className;

    /// <summary>
    /// The parent version's choice stays, since its classes may not move. Otherwise the settings decide, otherwise the folders:
    /// related classes under one folder (an alphabet, a product family) would make the test easier than new data will be.
    /// </summary>
    public static SplitUnits Choose(IReadOnlyCollection<string> classes, DatasetManifest? parent, DatasetSettings settings)
    {
        if (parent is not null)
        {
            var kept = settings.SplitBy is null or "auto" || settings.SplitBy == parent.Split.By ? "" : $" ('{settings.SplitBy}' was asked for, but classes never move)";
            return new SplitUnits(parent.Split.By, $"as in version {parent.Version}{kept}");
        }
        if (settings.SplitBy is ByClass or ByFirstFolder) return new SplitUnits(settings.SplitBy, "asked for by dataset.yaml");

        var folders = classes.Select(EntryPath.FirstSegment).Distinct(StringComparer.Ordinal).Count();
        if (!classes.All(c => c.Contains('/', StringComparison.Ordinal))) return new SplitUnits(ByClass, "classes are not grouped in folders");
        if (folders < MinFolders) return new SplitUnits(ByClass, $"classes lie in only {folders} first folders; {MinFolders} are needed to divide by folder");
        if (settings.TestClasses.Concat(settings.ValidationClasses).Any(name => name.Contains('/', StringComparison.Ordinal)))
            return new SplitUnits(ByClass, "dataset.yaml lists single classes");
        return new SplitUnits(ByFirstFolder, $"classes lie in {folders} first folders, so the test is on folders never seen");
    }
}
