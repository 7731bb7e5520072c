using System.Buffers.Binary;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>Where a zip's central directory lies, by its end record (APPNOTE 4.3.16, 4.3.14 for zip64).</summary>
/// <param name="Entries">Number of members, as claimed.</param>
/// <param name="Bytes">Bytes between the directory's start and its end record: a bound on the members whatever is claimed.</param>
internal sealed record ZipDirectory(long Entries, long Bytes)
{
    public const int MinRecordBytes = 46;
    private const int EndBytes = 22;
    private const int MaxComment = ushort.MaxValue;

    /// <returns>Null when there is no end record: the file was cut off, or is no zip.</returns>
    public static ZipDirectory? Find(Stream zip)
    {
        var tail = new byte[(int)Math.Min(zip.Length, EndBytes + MaxComment)];
        var tailStart = zip.Length - tail.Length;
        zip.Position = tailStart;
        zip.ReadExactly(tail);
        for (var at = tail.Length - EndBytes; at >= 0; at--)
        {
            if (!tail.AsSpan(at).StartsWith("PK\u0005\u0006"u8)) continue;
            var end = tail.AsSpan(at);
            long entries = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
            long start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
            if ((entries == ushort.MaxValue || start == uint.MaxValue) && Zip64(zip, tailStart + at) is { } large) (entries, start) = large;
            return new ZipDirectory(entries, Math.Max(0, tailStart + at - start));
        }
        return null;
    }

    private static (long Entries, long Start)? Zip64(Stream zip, long endRecord)
    {
        Span<byte> record = stackalloc byte[56];
        if (endRecord < 20) return null;
        zip.Position = endRecord - 20;
        zip.ReadExactly(record[..20]);
        if (!record.StartsWith("PK\u0006\u0007"u8)) return null;
        var at = BinaryPrimitives.ReadInt64LittleEndian(record[8..]);
        if (at < 0 || at > zip.Length - record.Length) return null;
        zip.Position = at;
        zip.ReadExactly(record);
        if (!record.StartsWith("PK\u0006\u0006"u8)) return null;
        return (BinaryPrimitives.ReadInt64LittleEndian(record[32..]), BinaryPrimitives.ReadInt64LittleEndian(record[48..]));
    }
}
