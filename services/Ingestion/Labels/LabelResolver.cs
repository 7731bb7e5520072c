using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Layouts;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>A sound image with its class.</summary>
/// <param name="Split">Asked for by a label file's row or a published dataset's official split, else null.</param>
/// <param name="Role">One of <see cref="RoleNames"/>, where a published dataset has roles.</param>
/// <param name="Camera">Where a published dataset has cameras.</param>
internal sealed record LabelledImage(ScannedFile File, string Class, string? Split, string? Role = null, int? Camera = null)
{
    public int Order => File.Order;

    public string Name => File.Name;

    public FileContent Content => File.Content;
}

/// <summary>Decides the class of every file of a drop: a recognised layout, else the row of a label file, else the folder.</summary>
internal static class LabelResolver
{
    private const string NoFolder = "it lies in no class folder: put it into a folder named after its class, or list it in a CSV with path and label";

    public static (List<LabelledImage> Images, List<Refusal> Refusals) Resolve(DropScan scan, RecognisedLayout? layout, DatasetManifest? parent) =>
        layout is null ? Resolve(scan, parent) : Resolve(scan, layout);

    private static (List<LabelledImage> Images, List<Refusal> Refusals) Resolve(DropScan scan, RecognisedLayout layout)
    {
        var (images, refusals) = (new List<LabelledImage>(), new List<Refusal>(layout.Reading.Problems));
        foreach (var file in scan.Images.Where(file => !layout.Reading.LeftOut.Contains(file.Order)))
        {
            var entry = layout.Reading.Entries.GetValueOrDefault(file.Order);
            var reason = file.Content.Refusal ?? (entry is null
                ? $"it is no part of {layout.Layout.Title}, which was recognised: drop it by itself, or write layout: none into dataset.yaml"
                : EntryPath.CheckClass(entry.Class));
            if (reason is not null) refusals.Add(new Refusal(file.Order, file.Name, reason, file.Content, entry is null ? null : EntryPath.Display(entry.Class)));
            else if (layout.IsOfficial) images.Add(new LabelledImage(file, entry!.Class, entry.Split, entry.Role, entry.Camera));
            else images.Add(new LabelledImage(file, entry!.Class, Split: null, Camera: entry.Camera));
        }
        return (images, refusals);
    }

    private static (List<LabelledImage> Images, List<Refusal> Refusals) Resolve(DropScan scan, DatasetManifest? parent)
    {
        var refusals = new List<Refusal>();
        var tables = scan.LabelFiles.GroupBy(f => f.Scope).ToDictionary(g => g.Key, g => LabelTable.Read(scan, [.. g], refusals));
        var images = new List<LabelledImage>();
        var byFolder = new List<ScannedFile>();
        foreach (var file in scan.Images)
        {
            var table = tables.GetValueOrDefault(file.Scope);
            if (table is not null && table.TryTake(file.Path, out var row, out var problem))
            {
                if (file.Content.Refusal is { } broken) Refuse(file, broken, row?.Label);
                else if (problem is not null) Refuse(file, problem, row?.Label);
                else images.Add(new LabelledImage(file, row!.Label, row.Split));
            }
            else if (file.Content.Refusal is { } broken) Refuse(file, broken, EntryPath.Folder(file.Path));
            else byFolder.Add(file);
        }
        foreach (var table in tables.Values) refusals.AddRange(table.RowsWithoutFile());

        var wrapper = CommonRoot(byFolder, images, parent);
        // Checked once, and named by one text, however many images a class has.
        var classes = new Dictionary<string, (string Name, string? Wrong)>(StringComparer.Ordinal);
        foreach (var file in byFolder)
        {
            var folder = EntryPath.Folder(file.Path);
            var name = file.Archive is not null && wrapper > 0 ? Skip(folder, wrapper) : folder;
            if (!classes.TryGetValue(name, out var known)) classes[name] = known = (name, name.Length == 0 ? NoFolder : EntryPath.CheckClass(name));
            if (known.Wrong is null) images.Add(new LabelledImage(file, known.Name, Split: null));
            else Refuse(file, known.Wrong, name);
        }
        images.Sort((a, b) => a.Order.CompareTo(b.Order));
        return (images, refusals);

        void Refuse(ScannedFile file, string reason, string? label) => refusals.Add(new Refusal(
            file.Order, file.Name, reason, file.Content, label is { Length: > 0 } ? EntryPath.Display(label) : null));
    }

    /// <summary>
    /// Number of wrapping folders (<c>images/</c>, <c>omniglot-background/</c>) to leave out of class names. A folder counts as one
    /// only when every archive of the drop lies inside it and at least two different folders remain; and never when that would make
    /// names shallower than the parent version's, where <c>Korean/character01</c> must not become <c>character01</c>.
    /// </summary>
    private static int CommonRoot(List<ScannedFile> files, List<LabelledImage> listed, DatasetManifest? parent)
    {
        if (listed.Count > 0) return 0;
        var folders = files.Where(f => f.Archive is not null).Select(f => EntryPath.Folder(f.Path)).Where(f => f.Length > 0).Distinct(StringComparer.Ordinal)
            .Select(f => f.Split('/')).ToList();
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
