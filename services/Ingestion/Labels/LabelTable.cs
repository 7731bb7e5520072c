using System.Diagnostics.CodeAnalysis;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>The rows of all label files of one scope (the drop's objects, or one archive), by the path of the file that they label.</summary>
internal sealed class LabelTable
{
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> governed = new(StringComparer.Ordinal);

    private sealed class Entry
    {
        public required TextFile File { get; init; }
        public required string FileName { get; init; }
        public required LabelRow Row { get; init; }
        public string? Problem { get; set; }
        public bool Taken { get; set; }
    }

    public static LabelTable Read(DropScan scan, IReadOnlyList<TextFile> files, RefusalTable refusals)
    {
        var table = new LabelTable();
        foreach (var file in files)
        {
            var name = scan.NameOf(file.Scope, file.Path);
            var folder = EntryPath.Folder(file.Path);
            var parsed = LabelFile.Parse(file.Path, file.Bytes);
            foreach (var (row, problem) in parsed.Problems)
                refusals.Add(new Refusal(file.Order, row == 0 ? name : $"{name} row {row}", problem));
            foreach (var row in parsed.Rows) table.Add(file, name, folder, row);
        }
        return table;
    }

    /// <returns>True when the label files decide about this path: by a row, or by a problem.</returns>
    public bool TryTake(string path, out LabelRow? row, [MaybeNull] out string problem)
    {
        if (entries.TryGetValue(path, out var entry))
        {
            entry.Taken = true;
            (row, problem) = (entry.Row, entry.Problem);
            return true;
        }
        (row, problem) = (null, null);

        // A folder that rows point into is described by them; its name is no class.
        for (var folder = EntryPath.Folder(path); folder.Length > 0; folder = EntryPath.Folder(folder))
        {
            if (!governed.Contains(folder)) continue;
            problem = "no row of the label file lists it";
            return true;
        }
        return false;
    }

    public IEnumerable<Refusal> RowsWithoutFile() => entries.Values.Where(e => !e.Taken).Select(e => new Refusal(
        e.File.Order, $"{e.FileName} row {e.Row.Number}",
        $"it names '{EntryPath.Display(e.Row.Path)}', which is not among the files that could be read beside it", null, EntryPath.Display(e.Row.Label)));

    private void Add(TextFile file, string name, string folder, LabelRow row)
    {
        var path = folder.Length == 0 ? row.Path : $"{folder}/{row.Path}";
        if (row.Path.Contains('/', StringComparison.Ordinal))
            governed.Add(folder.Length == 0 ? EntryPath.FirstSegment(row.Path) : $"{folder}/{EntryPath.FirstSegment(row.Path)}");
        if (!entries.TryGetValue(path, out var earlier)) entries[path] = new Entry { File = file, FileName = name, Row = row };
        else if (earlier.Row.Label != row.Label) earlier.Problem = $"label rows contradict each other: '{EntryPath.Display(earlier.Row.Label)}' and '{EntryPath.Display(row.Label)}'";
        else if (earlier.Row.Split != row.Split) earlier.Problem = $"label rows contradict each other: split '{earlier.Row.Split}' and '{row.Split}'";
    }
}
