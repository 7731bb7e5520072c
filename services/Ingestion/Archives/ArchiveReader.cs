using System.IO.Compression;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>
/// Opens one dropped archive and hands its members to a sink. What is wrong with the archive ends in the sink, never in an exception; what is
/// wrong with the store or with this machine's disk is no fault of the archive and ends in an exception, so that the drop is read again.
/// </summary>
internal static class ArchiveReader
{
    public static async Task Read(
        IArtifactStore store, StoredObject archive, ArchiveKind kind, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        try
        {
            // Only zip needs to seek; the others are read while they arrive.
            if (archive.Bytes == 0) sink.RefuseRest("it is empty (0 bytes)");
            else if (kind == ArchiveKind.Zip) await ZipEntries.Read(await Fetch(store.LocalFile(archive.Key, cancel)), sink, budget, options, cancel);
            else await ReadTar(store, archive, kind, sink, budget, options, cancel);
        }
        catch (ArchiveLimitException e)
        {
            sink.RefuseRest($"the archive was read no further: {e.Message}");
        }
        catch (FileNotFoundException e)
        {
            // A local copy can be gone as well.
            if (await store.Find(archive.Key, cancel) is not null) throw new IOException($"The archive {archive.Key} could not be read: {e.Message}", e);
            sink.RefuseRest("it vanished while the drop was read: drop it again");
        }
        catch (Exception e) when (MeansBroken(e))
        {
            sink.RefuseRest($"the archive is broken or cut off from here on, so drop it again; what came before was taken ({e.Message.TrimEnd('.')})");
        }
    }

    private static bool MeansBroken(Exception error) =>
        error is InvalidDataException or EndOfStreamException or FormatException or NotSupportedException or ArgumentException or OverflowException;

    /// <summary>A full disk, for one, is told by an ArgumentException: nobody must take that for a word about the archive.</summary>
    private static async Task<T> Fetch<T>(Task<T> fetched)
    {
        try
        {
            return await fetched;
        }
        catch (Exception e) when (MeansBroken(e))
        {
            throw new IOException(e.Message, e);
        }
    }

    private static async Task ReadTar(
        IArtifactStore store, StoredObject archive, ArchiveKind kind, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        await using var raw = await Fetch(store.OpenRead(archive.Key, cancel));
        await using var packed = new MeteredStream(raw);
        budget.BeginArchive(() => packed.Count);
        await using Stream tar = kind switch
        {
            ArchiveKind.TarGz => new GZipStream(packed, CompressionMode.Decompress),
            ArchiveKind.TarZstd => new ZstdStream(packed),
            _ => packed,
        };
        await TarEntries.Read(tar, sink, budget, options, cancel);
    }
}
