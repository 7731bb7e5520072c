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
        // Of the images that no label file decides about: what lies in an archive.
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (file, row, problem) in rows.ByFile())
        {
            if (row is null && problem is null)
            {
                if (file.Content.Refusal is { } broken) Refuse(refusals, file, broken, EntryPath.Folder(file.Path));
                else if (file.Archive is not null) folders.Add(EntryPath.Folder(file.Path));
            }
            else if ((file.Content.Refusal ?? problem) is { } wrong) Refuse(refusals, file, wrong, row?.Label);
            else
            {
                images.Add(new LabelledImage(file, row!.Label, row.Split));
                listed = true;
            }
        }
        refusals.AddRange(rows.WithoutFile());

        var wrapper = listed ? 0 : CommonRoot(folders, parent);
        // Checked once, however many images a class has.
        var classes = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (file, row, problem) in rows.ByFile())
        {
            if (row is not null || problem is not null || file.Content.Refusal is not null) continue;
            var folder = EntryPath.Folder(file.Path);
            var name = file.Archive is not null && wrapper > 0 ? Skip(folder, wrapper) : folder;
            if (!classes.TryGetValue(name, out var wrong)) classes[name] = wrong = name.Length == 0 ? NoFolder : EntryPath.CheckClass(name);
            if (wrong is null) images.Add(new LabelledImage(file, name, Split: null));
            else Refuse(refusals, file, wrong, name);
        }
    }

    private static void Refuse(RefusalTable refusals, ScannedFile file, string reason, string? label) => refusals.Add(new Refusal(
        file.Order, file.Name, reason, file.Content, label is { Length: > 0 } ? EntryPath.Display(label) : null));

    /// <summary>
    /// Number of wrapping folders (<c>images/</c>, <c>omniglot-background/</c>) to leave out of class names. A folder counts as one
    /// only when every archive of the drop lies inside it and at least two different folders remain; and never when that would make
    /// names shallower than the parent version's, where <c>Korean/character01</c> must not become <c>character01</c>.
    /// </summary>
    private static int CommonRoot(IEnumerable<string> inArchives, DatasetManifest? parent)
    {
        var folders = inArchives.Where(f => f.Length > 0).Select(f => f.Split('/')).ToList();
        if (folders.Count < 2) return 0;
        var deepest = parent is { Classes.Count: > 0 } ? folders.Min(f => f.Length) - parent.Classes.Min(c => c.Name.Count(ch => ch == '/') + 1) : int.MaxValue;
        var skip = 0;
        while (skip < deepest && folders.TrueForAll(f => f.Length > skip + 1 && f[skip] == folders[0][skip])) skip++;
        return skip;
    }

    private static string Skip(string folder, int segments)
    {
        var parts = folder.Split('/');
        return parts.Length > segments ? string.Join('/', parts[segments..]) : "";
    }
}
