using System.IO.Compression;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>Reads a zip file member by member, by its central directory.</summary>
internal static class ZipEntries
{
    private const int UnixTypeMask = 0xF000;
    private const int UnixRegular = 0x8000;

    public static async Task Read(string file, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        budget.BeginArchive(() => stream.Length);
        if (ZipDirectory.Find(stream) is not { } directory)
        {
            // A zip's directory is its last part: a cut-off upload has lost it, but its members can be walked from the front.
            await ZipSalvage.Read(stream, sink, budget, options, cancel);
            return;
        }
        if (directory.Entries > options.MaxFiles || directory.Bytes / ZipDirectory.MinRecordBytes > 4L * options.MaxFiles)
            throw new ArchiveLimitException($"it holds more than {options.MaxFiles:N0} files; split it into several");

        stream.Position = 0;
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        foreach (var entry in zip.Entries)
        {
            if (entry.FullName.EndsWith('/') || entry.FullName.EndsWith('\\')) continue;
            budget.CountFile();
            if (sink.Wants(entry.FullName, out var path)) await ReadMember(entry, path, sink, budget, options, cancel);
        }
    }

    private static async Task ReadMember(
        ZipArchiveEntry entry, string path, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        var unixType = (entry.ExternalAttributes >> 16) & UnixTypeMask;
        if (unixType != 0 && unixType != UnixRegular)
            sink.Refuse(entry.FullName, "it is a symbolic link or another special member; only plain files are taken from archives", null);
        else if (entry.IsEncrypted)
            sink.Refuse(entry.FullName, "it is encrypted: drop the archive without a password", entry.Length);
        else if (entry.Length > options.MaxFileBytes)
            sink.Refuse(entry.FullName, BoundedReader.TooLarge(options.MaxFileBytes), entry.Length);
        else
        {
            byte[]? bytes;
            try
            {
                await using var data = await entry.OpenAsync(cancel);
                bytes = await BoundedReader.Read(data, entry.Length, options.MaxFileBytes, budget.Spend, cancel);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
            {
                sink.Refuse(entry.FullName, $"it cannot be unpacked ({e.Message.TrimEnd('.')})", entry.Length);
                return;
            }
            if (bytes is null) sink.Refuse(entry.FullName, BoundedReader.TooLarge(options.MaxFileBytes), null);
            else await sink.Accept(path, bytes, cancel);
        }
    }
}
