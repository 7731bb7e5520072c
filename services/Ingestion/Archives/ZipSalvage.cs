using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>Walks the members of a zip that has lost its directory from the front (local headers, APPNOTE 4.3.7) as far as they are whole.</summary>
internal static class ZipSalvage
{
    private const int HeaderBytes = 30;
    private const string Cut = "the archive ends too early: the upload was cut off, so drop it again; what came before was taken";

    public static async Task Read(Stream zip, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        var header = new byte[HeaderBytes];
        var position = 0L;
        while (true)
        {
            zip.Position = position;
            var got = await zip.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancel);
            if (got < 4 || !header.AsSpan().StartsWith("PK\u0003\u0004"u8))
            {
                sink.RefuseRest(position == 0 ? "it is no zip archive, or an empty one" : Cut);
                return;
            }
            var flags = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6));
            var method = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(8));
            var packed = (long)BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(18));
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(26));
            var dataStart = position + HeaderBytes + nameLength + BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));

            // Flag 8: lengths follow the data. Zip64 and encryption likewise leave nothing to walk by.
            if (got < HeaderBytes || (flags & 0b1001) != 0 || packed == uint.MaxValue || dataStart + packed > zip.Length)
            {
                sink.RefuseRest(Cut);
                return;
            }
            var name = new byte[nameLength];
            await zip.ReadExactlyAsync(name, cancel);
            position = dataStart + packed;
            var rawName = Encoding.UTF8.GetString(name);
            if (rawName.EndsWith('/')) continue;
            budget.CountFile();
            if (!sink.Wants(rawName, out var path)) continue;
            zip.Position = dataStart;
            await ReadMember(zip, method, packed, rawName, path, sink, budget, options, cancel);
        }
    }

    private static async Task ReadMember(
        Stream zip, int method, long packed, string rawName, string path, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        if (method is not (0 or 8) || packed > options.MaxFileBytes)
        {
            sink.Refuse(rawName, method is 0 or 8 ? BoundedReader.TooLarge(options.MaxFileBytes) : "it cannot be unpacked (unknown compression)", packed);
            return;
        }
        var data = new byte[packed];
        await zip.ReadExactlyAsync(data, cancel);
        byte[]? bytes = data;
        if (method == 8)
        {
            try
            {
                await using var inflated = new DeflateStream(new MemoryStream(data), CompressionMode.Decompress);
                bytes = await BoundedReader.Read(inflated, packed, options.MaxFileBytes, budget.Spend, cancel);
            }
            catch (InvalidDataException e)
            {
                sink.Refuse(rawName, $"it cannot be unpacked ({e.Message.TrimEnd('.')})", packed);
                return;
            }
        }
        if (bytes is null) sink.Refuse(rawName, BoundedReader.TooLarge(options.MaxFileBytes), null);
        else await sink.Accept(path, bytes, cancel);
    }
}
