using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace DmlPipeline.Tests.Services.Ingestion;

using Members = IEnumerable<(string Path, byte[] Bytes)>;

/// <summary>Archives in memory, good and bad.</summary>
internal static partial class TestArchives
{
    public static byte[] Zip(Members members)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, bytes) in members)
            {
                using var data = zip.CreateEntry(path).Open();
                data.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    public static byte[] Tar(Members members) => Tar([.. members.Select(m => (TarEntry)new PaxTarEntry(TarEntryType.RegularFile, m.Path) { DataStream = new MemoryStream(m.Bytes) })]);

    public static byte[] Tar(params TarEntry[] entries)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            foreach (var entry in entries) tar.WriteEntry(entry);
        return stream.ToArray();
    }

    public static byte[] Gzip(byte[] data)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest)) gzip.Write(data);
        return stream.ToArray();
    }

    public static byte[] Zstd(byte[] data)
    {
        var packed = new byte[data.Length + 1024];
        var length = (int)ZSTD_compress(packed, (nuint)packed.Length, data, (nuint)data.Length, 3);
        return packed[..length];
    }

    /// <summary>A zip with one good class and a member of zeros, written without ever holding them.</summary>
    public static byte[] ZipBomb(long zeros, Members good)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (var data = zip.CreateEntry("bomb/0.png", CompressionLevel.Fastest).Open()) WriteZeros(data, zeros);
            foreach (var (path, bytes) in good)
            {
                using var data = zip.CreateEntry(path).Open();
                data.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    public static byte[] TarGzBomb(long zeros, Members good)
    {
        var members = Tar(good);
        var header = Tar(new UstarTarEntry(TarEntryType.RegularFile, "bomb/0.png")).AsSpan(0, 512);
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(zeros, 8).PadLeft(11, '0')).CopyTo(header[124..]);
        // The checksum counts its own field as spaces.
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header) sum += b;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);

        // Gzip members may follow one another: one of zeros, over and over.
        var block = new MemoryStream();
        using (var gzip = new GZipStream(block, CompressionLevel.Optimal, leaveOpen: true)) WriteZeros(gzip, ZeroBlock);
        var stream = new MemoryStream();
        stream.Write(Gzip([.. members.AsSpan(0, members.Length - 1024), .. header]));
        for (var written = 0L; written < zeros; written += ZeroBlock) block.WriteTo(stream);
        return stream.ToArray();
    }

    private const long ZeroBlock = 64 << 20;

    private static void WriteZeros(Stream stream, long count)
    {
        var block = new byte[1 << 20];
        for (; count > 0; count -= block.Length) stream.Write(block, 0, (int)Math.Min(count, block.Length));
    }

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_compress(byte[] target, nuint targetLength, byte[] source, nuint sourceLength, int level);
}
