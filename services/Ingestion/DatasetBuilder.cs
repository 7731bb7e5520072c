using System.Globalization;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Ingestion.Splits;
using DmlPipeline.Ingestion.Writing;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>
/// Turns a settled drop into an immutable dataset version: read and check everything, decide labels and splits, write shards, write
/// the manifest last. The same drop and version give the same objects, so a killed build is simply repeated.
/// </summary>
public static partial class DatasetBuilder
{
    /// <param name="store">Holds the drop and receives the version.</param>
    /// <param name="drop">The upload.</param>
    /// <param name="parent">The dataset's newest version; null when this is its first.</param>
    /// <param name="version">Number to write: the parent's plus one, or 1.</param>
    /// <param name="options">Limits.</param>
    /// <param name="progress">Told now and then, from any thread.</param>
    /// <param name="cancel">Stops the build; what it wrote is overwritten by the next one.</param>
    /// <exception cref="VersionTakenException">Another drop has made this version.</exception>
    /// <exception cref="ArgumentException">The dataset's name or the drop's id cannot be part of a key.</exception>
    public static async Task<DatasetBuildResult> Build(
        IArtifactStore store, Drop drop, DatasetManifest? parent, int version, IngestionOptions options, Action<IngestionProgress>? progress, CancellationToken cancel)
    {
        DatasetName.Validate(drop.Dataset);
        if (!DropIdPattern().IsMatch(drop.DropId)) throw new ArgumentException("A drop's id has 1 to 100 letters, digits, '.', '_' and '-'.", nameof(drop));
        if (parent is not null && (parent.Dataset != drop.Dataset || parent.Version >= version))
            throw new ArgumentException($"Version {version} of {drop.Dataset} cannot grow from version {parent.Version} of {parent.Dataset}.", nameof(parent));
        if (await VersionWriter.Find(store, drop, version, cancel) is { } existing) return existing;

        using var spool = new Spool(options.TemporaryFolder);
        using var scratch = new ScratchDatabase(options.TemporaryFolder);
        var reading = await DropReading.Of(store, drop.Objects, Drop.Prefix(drop.Dataset), parent, scratch, spool, options, progress, cancel);
        var (selection, refusals, rejected) = (reading.Selection, reading.Refusals, reading.Rejected);

        SplitPlan? plan = null;
        try
        {
            if (rejected is null)
            {
                RefuseNothingNew(reading);
                plan = SplitPlan.Make(drop.Dataset, selection, reading.Parent, reading.Settings, reading.Layout, options);
                RefuseNothingNew(reading);
            }
        }
        catch (DropRejectedException e)
        {
            rejected = e;
        }

        var (quarantined, reasons) = await QuarantineWriter.Write(store, drop, refusals, scratch, spool, options, cancel);
        var added = rejected is null ? selection.Count : 0;
        var counts = new DropCounts(reading.Scan.Files, added, selection.Duplicates, refusals.Count, reading.Scan.Ignored + reading.Unused);
        if (rejected is not null) return new DatasetBuildResult.Rejected(rejected.Message, rejected.NeedsMore, quarantined, reasons, counts);

        var writer = new VersionWriter(store, drop, version, reading, options);
        var (manifest, reference) = await writer.Write(
            plan!, spool, counts, reasons, written => progress?.Invoke(new IngestionProgress("writing", written, refusals.Count)), cancel);
        return new DatasetBuildResult.Built(manifest, reference, quarantined, reasons, counts);
    }

    private static void RefuseNothingNew(DropReading reading)
    {
        var (selection, refusals, parent) = (reading.Selection, reading.Refusals, reading.Parent);
        if (selection.Count > 0) return;
        var refused = refusals.InOrder().FirstOrDefault() is { } first
            ? $"; {refusals.Count.ToString("N0", CultureInfo.InvariantCulture)} refused, first '{first.Name}': {first.Reason}"
            : "";
        if (parent is not null && selection.Duplicates > 0)
            throw new DropRejectedException(refusals.Count == 0
                ? $"nothing new: all {selection.Duplicates} images are already in version {parent.Manifest.Version}"
                : $"nothing new: {selection.Duplicates} images are already in version {parent.Manifest.Version}{refused}");
        if (reading.Scan.Images.Count == 0 && refusals.Count == 0)
            throw new DropRejectedException("the drop is empty: it holds no images. Drop class folders, archives of them, or a CSV with path and label beside its images");
        throw new DropRejectedException($"no usable image{refused}", needsMore: refusals.Sound > 0);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DropIdPattern();
}
