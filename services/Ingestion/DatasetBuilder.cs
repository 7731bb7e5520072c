using System.Globalization;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Layouts;
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
    /// <param name="drop">All objects of the upload.</param>
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
        var (classes, refusals) = (new Texts(), new RefusalTable(scratch));
        var before = await ParentVersion.Open(store, parent, scratch, classes, cancel);
        var objects = await DropObjects.Of(drop.Objects, Drop.Prefix(drop.Dataset), scratch, cancel);
        var scan = await new DropScanner(store, options, spool, scratch, before, refusals, progress).Scan(objects, cancel);
        var (settings, layout, problems, rejected) = Understand(scan, parent, refusals);
        var labelled = new LabelledImages(scratch, "labelled", scan.Images, classes);
        LabelResolver.Resolve(scan, layout, parent, labelled, refusals);
        var selection = new ImageSelection(labelled, new LabelledImages(scratch, "selected", scan.Images, classes), before, refusals, options.MinImagesPerClass);

        SplitPlan? plan = null;
        try
        {
            if (rejected is null)
            {
                RefuseNothingNew(scan, selection, refusals, before);
                plan = SplitPlan.Make(drop.Dataset, selection, before, settings, layout, options);
                RefuseNothingNew(scan, selection, refusals, before);
            }
        }
        catch (DropRejectedException e)
        {
            rejected = e;
        }

        var (quarantined, reasons) = await QuarantineWriter.Write(store, drop, refusals, scratch, spool, options, cancel);
        var added = rejected is null ? selection.Count : 0;
        var counts = new DropCounts(scan.Files, added, selection.Duplicates, refusals.Count, scan.Ignored + (layout?.Reading.LeftOut.Count ?? scan.Annotations.Count - problems));
        if (rejected is not null) return new DatasetBuildResult.Rejected(rejected.Message, rejected.NeedsMore, quarantined, reasons, counts);

        var writer = new VersionWriter(store, drop, version, before, new SampleTable(scratch, classes), options);
        var (manifest, reference) = await writer.Write(
            selection, plan!, layout is { IsOfficial: true } ? layout.Layout.Key : null, settings.Recipe ?? parent?.Recipe, spool, counts, reasons, objects.Newest!.Value,
            written => progress?.Invoke(new IngestionProgress("writing", written, refusals.Count)), cancel);
        return new DatasetBuildResult.Built(manifest, reference, quarantined, reasons, counts);
    }

    /// <summary>What the drop says about itself, with how many of its annotations were refused; or why it cannot be understood.</summary>
    internal static (DatasetSettings Settings, RecognisedLayout? Layout, int Problems, DropRejectedException? Rejected) Understand(
        DropScan scan, DatasetManifest? parent, RefusalTable refusals)
    {
        var settings = DatasetSettings.None;
        var problems = new List<Refusal>();
        try
        {
            if (scan.Settings.Count > 1) throw new DropRejectedException($"the drop holds {scan.Settings.Count} files dataset.yaml: keep one");
            if (scan.Settings.Count == 1) settings = DatasetSettings.Parse(scan.Settings[0].Bytes);
            return (settings, LayoutCatalogue.Recognise(scan, settings, parent, problems), problems.Count, null);
        }
        catch (DatasetSettingsException e)
        {
            return (settings, null, problems.Count, new DropRejectedException(e.Message));
        }
        catch (DropRejectedException e)
        {
            return (settings, null, problems.Count, e);
        }
        finally
        {
            refusals.AddRange(problems);
        }
    }

    private static void RefuseNothingNew(DropScan scan, ImageSelection selection, RefusalTable refusals, ParentVersion? parent)
    {
        if (selection.Count > 0) return;
        var refused = refusals.InOrder().FirstOrDefault() is { } first
            ? $"; {refusals.Count.ToString("N0", CultureInfo.InvariantCulture)} refused, first '{first.Name}': {first.Reason}"
            : "";
        if (parent is not null && selection.Duplicates > 0)
            throw new DropRejectedException(refusals.Count == 0
                ? $"nothing new: all {selection.Duplicates} images are already in version {parent.Manifest.Version}"
                : $"nothing new: {selection.Duplicates} images are already in version {parent.Manifest.Version}{refused}");
        if (scan.Images.Count == 0 && refusals.Count == 0)
            throw new DropRejectedException("the drop is empty: it holds no images. Drop class folders, archives of them, or a CSV with path and label beside its images");
        throw new DropRejectedException($"no usable image{refused}", needsMore: refusals.Sound > 0);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DropIdPattern();
}
