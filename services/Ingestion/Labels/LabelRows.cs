using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Storage;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>The rows of a drop's label files by the files that they label; on disk. A label file speaks of its own scope only: the drop's objects, or one archive.</summary>
internal sealed class LabelRows
{
    private readonly ScratchDatabase scratch;
    private readonly FileTable files;
    private readonly ScratchStatement insert;
    private readonly ScratchStatement spoil;
    // Folders that rows point into are described by them; their names are no classes.
    private readonly HashSet<(int Scope, string Folder)> governed = [];
    private bool isEmpty = true;

    private LabelRows(ScratchDatabase scratch, FileTable files)
    {
        (this.scratch, this.files) = (scratch, files);
        scratch.Execute(
            """
            create table label_rows (
                scope integer not null, path text not null, number integer not null, label text not null, split text, file_order integer not null, file_name text not null,
                listed text not null, problem text, primary key (scope, path)) without rowid
            """);
        insert = scratch.Prepare("insert into label_rows values ($1, $2, $3, $4, $5, $6, $7, $8, null) on conflict do nothing");
        spoil = scratch.Prepare("update label_rows set problem = $3 where scope = $1 and path = $2");
    }

    /// <param name="refusals">Receives rows that cannot be understood.</param>
    public static LabelRows Read(DropScan scan, ScratchDatabase scratch, RefusalTable refusals)
    {
        var rows = new LabelRows(scratch, scan.Images);
        foreach (var file in scan.LabelFiles)
        {
            var name = scan.NameOf(file.Scope, file.Path);
            LabelFile.Read(
                file.Path, file.Bytes, row => rows.Add(file, name, row),
                (row, problem) => refusals.Add(new Refusal(file.Order, row == 0 ? name : $"{name} row {row}", problem)));
        }
        return rows;
    }

    /// <summary>Every file of the drop in its order, with its row where it has one, and what is wrong with that.</summary>
    public IEnumerable<(ScannedFile File, LabelRow? Row, string? Problem)> ByFile() => isEmpty ? files.Select(file => (file, (LabelRow?)null, (string?)null)) : scratch.Query(
        $"select {FileTable.Columns}, r.number, r.listed, r.label, r.split, r.problem from files f left join label_rows r on r.scope = f.scope and r.path = f.path order by f.number",
        row =>
        {
            const int At = FileTable.ColumnCount;
            var file = files.Read(row);
            if (!row.IsDBNull(At)) return (file, Row(row, At), row.IsDBNull(At + 4) ? null : row.GetString(At + 4));
            return (file, (LabelRow?)null, IsGoverned(file) ? "no row of the label file lists it" : null);
        });

    public IEnumerable<Refusal> WithoutFile()
    {
        if (isEmpty) return [];
        scratch.Execute("create index files_by_path on files (scope, path)");
        return scratch.Query(
            """
            select number, listed, label, split, file_order, file_name from label_rows r
            where not exists (select 1 from files f where f.scope = r.scope and f.path = r.path)
            """,
            row => new Refusal(
                row.GetInt32(4), $"{row.GetString(5)} row {row.GetInt32(0)}",
                $"it names '{EntryPath.Display(row.GetString(1))}', which is not among the files that could be read beside it", null, EntryPath.Display(row.GetString(2))));
    }

    private static LabelRow Row(SqliteDataReader row, int at) =>
        new(row.GetInt32(at), row.GetString(at + 1), row.GetString(at + 2), row.IsDBNull(at + 3) ? null : row.GetString(at + 3));

    private bool IsGoverned(ScannedFile file)
    {
        if (governed.Count == 0) return false;
        for (var folder = EntryPath.Folder(file.Path); folder.Length > 0; folder = EntryPath.Folder(folder))
            if (governed.Contains((file.Scope, folder))) return true;
        return false;
    }

    private void Add(TextFile file, string name, LabelRow row)
    {
        isEmpty = false;
        var folder = EntryPath.Folder(file.Path);
        var path = folder.Length == 0 ? row.Path : $"{folder}/{row.Path}";
        if (row.Path.Contains('/', StringComparison.Ordinal))
            governed.Add((file.Scope, folder.Length == 0 ? EntryPath.FirstSegment(row.Path) : $"{folder}/{EntryPath.FirstSegment(row.Path)}"));
        if (insert.Run(file.Scope, path, row.Number, row.Label, row.Split, file.Order, name, row.Path) == 1) return;
        var (label, split) = scratch.Query(
            "select label, split from label_rows where scope = $1 and path = $2", first => (first.GetString(0), first.IsDBNull(1) ? null : first.GetString(1)), file.Scope, path).Single();
        if (label != row.Label) spoil.Run(file.Scope, path, $"label rows contradict each other: '{EntryPath.Display(label)}' and '{EntryPath.Display(row.Label)}'");
        else if (split != row.Split) spoil.Run(file.Scope, path, $"label rows contradict each other: split '{split}' and '{row.Split}'");
    }
}
