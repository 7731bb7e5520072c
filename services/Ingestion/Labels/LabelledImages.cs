using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Storage;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>A sound image with its class.</summary>
/// <param name="Split">Asked for by a label file's row or a published dataset's official split, else null.</param>
/// <param name="Role">One of <see cref="Contracts.Datasets.RoleNames"/>, where a published dataset has roles.</param>
/// <param name="Camera">Where a published dataset has cameras.</param>
internal sealed record LabelledImage(ScannedFile File, string Class, string? Split, string? Role = null, int? Camera = null)
{
    public int Order => File.Order;

    public string Name => File.Name;

    public FileContent Content => File.Content;
}

/// <summary>Labelled images on disk, in a table of the order in which they were added.</summary>
/// <param name="table">Its name.</param>
/// <param name="files">Has the files.</param>
/// <param name="classes">Has the names of the classes.</param>
internal sealed class LabelledImages(ScratchDatabase scratch, string table, FileTable files, Texts classes)
{
    // Column of what was joined to an image's row.
    private const int Joined = FileTable.ColumnCount + 4;

    private readonly ScratchStatement insert = Create(
        scratch, $"create table {table} (id integer primary key, number integer not null, class integer not null, split text, role text, camera integer)",
        $"insert into {table} (number, class, split, role, camera) values ($1, $2, $3, $4, $5)");

    private readonly ScratchStatement mark = Create(
        scratch, $"create table {table}_marked (digest blob primary key, why text not null) without rowid", $"insert into {table}_marked values ($1, $2)");

    private bool hasMarks;

    public void Add(LabelledImage image) => insert.Run(image.Order, classes.NumberOf(image.Class), image.Split, image.Role, image.Camera);

    /// <summary>As they were added.</summary>
    public IEnumerable<LabelledImage> All() => Read("order by l.id");

    /// <summary>In the order of the drop.</summary>
    public IEnumerable<LabelledImage> InOrder() => Read("order by l.number");

    /// <summary>Equal contents one after the other, each in the order of the drop; with the class that the parent version has them under.</summary>
    public IEnumerable<(LabelledImage Image, string? Known)> ByContent() => Read(
        "left join samples k on k.digest = f.digest order by f.digest, l.number", "k.class", row => row.IsDBNull(Joined) ? null : classes[row.GetInt32(Joined)]);

    /// <summary>Marks all images of one content.</summary>
    public void Mark(Digest content, string why)
    {
        mark.Run(content.ToBytes(), why);
        hasMarks = true;
    }

    /// <summary>What was marked, in the order of the drop.</summary>
    public IEnumerable<(LabelledImage Image, string Why)> Marked() => !hasMarks
        ? []
        : Read($"join {table}_marked m on m.digest = f.digest order by l.number", "m.why", row => row.GetString(Joined));

    /// <summary>Takes the images of some classes out.</summary>
    /// <param name="some">The classes.</param>
    /// <param name="onlyAsked">Whether only those images are meant for which a split is asked.</param>
    /// <param name="removed">Told of each of them, in the order of the drop.</param>
    public void Remove(IEnumerable<string> some, bool onlyAsked, Action<LabelledImage> removed)
    {
        scratch.Execute("create table unwanted (class integer primary key)");
        var insertUnwanted = scratch.Prepare("insert into unwanted values ($1)");
        foreach (var name in some) insertUnwanted.Run(classes.NumberOf(name));
        var meant = $"class in (select class from unwanted) {(onlyAsked ? "and split is not null" : "")}";
        foreach (var image in Read($"where l.{meant} order by l.number")) removed(image);
        scratch.Execute($"delete from {table} where {meant}; drop table unwanted");
    }

    private static ScratchStatement Create(ScratchDatabase scratch, string table, string statement)
    {
        scratch.Execute(table);
        return scratch.Prepare(statement);
    }

    private IEnumerable<LabelledImage> Read(string rest) => Read(rest, "null", _ => 0).Select(row => row.Image);

    private IEnumerable<(LabelledImage Image, T Joined)> Read<T>(string rest, string joined, Func<SqliteDataReader, T> read) => scratch.Query(
        $"select {FileTable.Columns}, l.class, l.split, l.role, l.camera, {joined} from {table} l join files f on f.number = l.number {rest}", row =>
        {
            const int At = FileTable.ColumnCount;
            var image = new LabelledImage(files.Read(row), classes[row.GetInt32(At)], Text(row, At + 1), Text(row, At + 2), row.IsDBNull(At + 3) ? null : row.GetInt32(At + 3));
            return (image, read(row));
        });

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
