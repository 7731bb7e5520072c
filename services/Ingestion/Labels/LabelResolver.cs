using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Layouts;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>Decides the class of every file of a drop: a recognised layout, else the row of a label file, else the folder.</summary>
internal static class LabelResolver
{
    private const string NoFolder = "it lies in no class folder: put it into a folder named after its class, or list it in a CSV with path and label";

    /// <param name="scratch">Holds the rows of label files.</param>
    /// <param name="images">Receives the labelled images.</param>
    /// <param name="refusals">Receives the others, and what is wrong with label files.</param>
    public static void Resolve(DropScan scan, RecognisedLayout? layout, DatasetManifest? parent, ScratchDatabase scratch, LabelledImages images, RefusalTable refusals)
    {
        if (layout is null) Resolve(scan, parent, scratch, images, refusals);
        else Resolve(scan, layout, images, refusals);
    }

    private static void Resolve(DropScan scan, RecognisedLayout layout, LabelledImages images, RefusalTable refusals)
    {
        refusals.AddRange(layout.Reading.Problems);
        foreach (var file in scan.Images)
        {
            if (layout.Reading.LeftOut.Contains(file.Order)) continue;
            var entry = layout.Reading.Entries.GetValueOrDefault(file.Order);
            var reason = file.Content.Refusal ?? (entry is null
                ? $"it is no part of {layout.Layout.Title}, which was recognised: drop it by itself, or write layout: none into dataset.yaml"
                : EntryPath.CheckClass(entry.Class));
            if (reason is not null) Refuse(refusals, file, reason, entry?.Class);
            else if (layout.IsOfficial) images.Add(new LabelledImage(file, entry!.Class, entry.Split, entry.Role, entry.Camera));
            else images.Add(new LabelledImage(file, entry!.Class, Split: null, Camera: entry.Camera));
        }
    }

    private static void Resolve(DropScan scan, DatasetManifest? parent, ScratchDatabase scratch, LabelledImages images, RefusalTable refusals)
    {
        var rows = LabelRows.Read(scan, scratch, refusals);
        var listed = false;
        var wrapping = new WrappingFolders();
        foreach (var (file, row, problem) in rows.ByFile())
        {
            if (row is null && problem is null)
            {
                if (file.Content.Refusal is { } broken) Refuse(refusals, file, broken, EntryPath.Folder(file.Path));
                else if (file.Archive is not null) wrapping.Add(EntryPath.Folder(file.Path));
            }
            else if ((file.Content.Refusal ?? problem) is { } reason) Refuse(refusals, file, reason, row?.Label);
            else
            {
                images.Add(new LabelledImage(file, row!.Label, row.Split));
                listed = true;
            }
        }
        refusals.AddRange(rows.WithoutFile());

        var wrapper = listed ? 0 : wrapping.Count(parent);
        // The images of a class lie together, so that its name is seldom checked twice; to remember all of them would be to remember whatever is dropped.
        var (last, wrong) = ("", (string?)NoFolder);
        foreach (var (file, row, problem) in rows.ByFile())
        {
            if (row is not null || problem is not null || file.Content.Refusal is not null) continue;
            var folder = EntryPath.Folder(file.Path);
            var name = file.Archive is not null && wrapper > 0 ? Skip(folder, wrapper) : folder;
            if (name != last) (last, wrong) = (name, name.Length == 0 ? NoFolder : EntryPath.CheckClass(name));
            if (wrong is null) images.Add(new LabelledImage(file, name, Split: null));
            else Refuse(refusals, file, wrong, name);
        }
    }

    private static void Refuse(RefusalTable refusals, ScannedFile file, string reason, string? label) => refusals.Add(new Refusal(
        file.Order, file.Name, reason, file.Content, label is { Length: > 0 } ? EntryPath.Display(label) : null));

    private static string Skip(string folder, int segments)
    {
        var parts = folder.Split('/');
        return parts.Length > segments ? string.Join('/', parts[segments..]) : "";
    }
}
