using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Layouts;
using DmlPipeline.Ingestion.Splits;
using DmlPipeline.Ingestion.Writing;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Reading;

/// <summary>A drop that has been read and understood: what it says about itself, and which of its images can be taken.</summary>
/// <param name="Newest">When the newest of its objects was stored; null when it has none.</param>
/// <param name="Parent">The version that is to grow; or null.</param>
/// <param name="Layout">Null for class folders and label files.</param>
/// <param name="Unused">Files that are no images and were not needed: left out by a layout, or annotations of none.</param>
/// <param name="Samples">The parent's images, to which those that are written join.</param>
/// <param name="Rejected">Why it cannot be understood; or null.</param>
internal sealed record DropReading(
    DropScan Scan, DateTimeOffset? Newest, ParentVersion? Parent, DatasetSettings Settings, RecognisedLayout? Layout, int Unused,
    SampleTable Samples, ImageSelection Selection, RefusalTable Refusals, DropRejectedException? Rejected)
{
    /// <param name="objects">The drop.</param>
    /// <param name="prefix">What their keys begin with and paths do not.</param>
    /// <param name="parent">The version that is to grow; or null.</param>
    /// <param name="scratch">Receives what is known of each file.</param>
    /// <param name="spool">Receives the bytes of images.</param>
    /// <exception cref="ArgumentException">An object does not lie below the prefix.</exception>
    public static async Task<DropReading> Of(
        IArtifactStore store, IAsyncEnumerable<StoredObject> objects, string prefix, DatasetManifest? parent, ScratchDatabase scratch, Spool spool,
        IngestionOptions options, Action<IngestionProgress>? progress, CancellationToken cancel)
    {
        var (classes, refusals) = (new Texts(), new RefusalTable(scratch));
        var samples = new SampleTable(scratch, classes);
        var before = await ParentVersion.Open(store, parent, scratch, samples, classes, cancel);
        var dropped = await DropObjects.Of(objects, prefix, scratch, cancel);
        var scan = await new DropScanner(store, options, spool, scratch, before, refusals, progress).Scan(dropped, cancel);
        var problems = new List<Refusal>();
        var (settings, layout, rejected) = Understand(scan, parent, problems);
        refusals.AddRange(problems);
        var labelled = new LabelledImages(scratch, "labelled", scan.Images, classes);
        LabelResolver.Resolve(scan, layout, parent, scratch, labelled, refusals);
        var selection = new ImageSelection(labelled, new LabelledImages(scratch, "selected", scan.Images, classes), before, refusals, options.MinImagesPerClass);
        var unused = layout?.Reading.LeftOut.Count ?? scan.Annotations.Count - problems.Count;
        return new DropReading(scan, dropped.Newest, before, settings, layout, unused, samples, selection, refusals, rejected);
    }

    private static (DatasetSettings Settings, RecognisedLayout? Layout, DropRejectedException? Rejected) Understand(
        DropScan scan, DatasetManifest? parent, List<Refusal> problems)
    {
        var settings = DatasetSettings.None;
        try
        {
            if (scan.Settings.Count > 1) throw new DropRejectedException($"the drop holds {scan.Settings.Count} files dataset.yaml: keep one");
            if (scan.Settings.Count == 1) settings = DatasetSettings.Parse(scan.Settings[0].Bytes);
            return (settings, LayoutCatalogue.Recognise(scan, settings, parent, problems), null);
        }
        catch (DatasetSettingsException e)
        {
            return (settings, null, new DropRejectedException(e.Message));
        }
        catch (DropRejectedException e)
        {
            return (settings, null, e);
        }
    }
}
