using System.Collections;
using DmlPipeline.Storage;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Ingestion.Reading;

/// <summary>Every file of a drop that was offered as an image, the broken ones included; on disk. Enumerated in the order of the drop.</summary>
internal sealed class FileTable : IEnumerable<ScannedFile>
{
    /// <summary>What <see cref="Read"/> reads, of <c>files f</c>.</summary>
    public const string Columns = "f.number, f.scope, f.path, f.digest, f.bytes, f.spool_offset, f.refusal, f.width, f.height, f.format, f.hash, f.grey, f.dark_on_light";

    /// <summary>How many they are.</summary>
    public const int ColumnCount = 13;

    private readonly ScratchDatabase scratch;
    private readonly List<string> scopes;
    private readonly ScratchStatement insert;
    private int count;

    /// <param name="scopes">Names of the scopes; grows while the drop is read.</param>
    public FileTable(ScratchDatabase scratch, List<string> scopes)
    {
        this.scratch = scratch;
        this.scopes = scopes;
        scratch.Execute(
            """
            create table files (
                number integer primary key, scope integer not null, path text not null, digest blob not null, bytes integer not null, spool_offset integer not null,
                refusal text, width integer, height integer, format text, hash integer, grey integer, dark_on_light integer)
            """);
        insert = scratch.Prepare("insert into files values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    }

    public int Count => count;

    /// <summary>Thread-safe.</summary>
    public void Add(int order, int scope, string path, FileContent content)
    {
        var facts = content.Facts;
        insert.Run(
            order, scope, path, content.Digest.ToBytes(), content.Bytes, content.SpoolOffset, content.Refusal,
            facts?.Width, facts?.Height, facts?.Format, facts is null ? null : unchecked((long)facts.Hash), facts?.Grey, facts?.DarkOnLight);
        Interlocked.Increment(ref count);
    }

    /// <summary>Where each file lies, for whoever need not know more of it.</summary>
    public IEnumerable<(int Order, string Path)> Paths() => scratch.Query("select number, path from files order by number", row => (row.GetInt32(0), row.GetString(1)));

    public IEnumerator<ScannedFile> GetEnumerator() => scratch.Query($"select {Columns} from files f order by f.number", Read).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The file of a row that begins with <see cref="Columns"/>.</summary>
    public ScannedFile Read(SqliteDataReader row)
    {
        var scope = row.GetInt32(1);
        var facts = row.IsDBNull(7)
            ? null
            : new ImageFacts(row.GetInt32(7), row.GetInt32(8), row.GetString(9), unchecked((ulong)row.GetInt64(10)), row.GetBoolean(11), row.GetBoolean(12));
        var content = new FileContent
        {
            Digest = Digest.FromBytes(row.GetFieldValue<byte[]>(3)), Bytes = row.GetInt64(4), SpoolOffset = row.GetInt64(5), Refusal = row.IsDBNull(6) ? null : row.GetString(6), Facts = facts,
        };
        return new ScannedFile(row.GetInt32(0), scope, row.GetString(2), content, scope == 0 ? null : scopes[scope]);
    }
}
