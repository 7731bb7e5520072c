using System.Formats.Tar;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>Reads a tar stream member by member, forward only.</summary>
internal static class TarEntries
{
    // Extended headers hold names; a megabyte of them between two members is an attack on memory.
    private const long MaxHeaderBytes = 1 << 20;

    public static async Task Read(Stream tar, ArchiveSink sink, UnpackBudget budget, IngestionOptions options, CancellationToken cancel)
    {
        var headerBytesLeft = MaxHeaderBytes;
        var inHeader = true;
        await using var metered = new MeteredStream(tar, read =>
        {
            budget.Spend(read);
            if (inHeader && (headerBytesLeft -= read) < 0) throw new ArchiveLimitException("a header inside it is larger than 1 MiB");
        });
        await using var reader = new TarReader(metered, leaveOpen: true);
        while (true)
        {
            inHeader = true;
            headerBytesLeft = MaxHeaderBytes;
            var entry = await reader.GetNextEntryAsync(copyData: false, cancel);
            inHeader = false;
            if (entry is null) return;
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.DirectoryList or TarEntryType.GlobalExtendedAttributes) continue;

            budget.CountFile();
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
                sink.Refuse(entry.Name, $"it is {Describe(entry.EntryType)}; only plain files are taken from archives", null);
            else if (sink.Wants(entry.Name, out var path))
                await ReadMember(entry, path, sink, options, cancel);
            await Skip(entry.DataStream, cancel);
        }
    }

    private static async Task ReadMember(TarEntry entry, string path, ArchiveSink sink, IngestionOptions options, CancellationToken cancel)
    {
        if (entry.Length > options.MaxFileBytes)
        {
            sink.Refuse(entry.Name, BoundedReader.TooLarge(options.MaxFileBytes), entry.Length);
            return;
        }
        var bytes = entry.DataStream is null ? [] : await BoundedReader.Read(entry.DataStream, entry.Length, options.MaxFileBytes, _ => { }, cancel);
        if (bytes is null) sink.Refuse(entry.Name, BoundedReader.TooLarge(options.MaxFileBytes), entry.Length);
        else if (bytes.Length != entry.Length) throw new EndOfStreamException();
        else await sink.Accept(path, bytes, cancel);
    }

    // Reading on ourselves, rather than letting the reader skip, keeps the data out of the header allowance.
    private static async Task Skip(Stream? data, CancellationToken cancel)
    {
        if (data is null) return;
        var scratch = new byte[1 << 16];
        while (await data.ReadAsync(scratch, cancel) > 0) cancel.ThrowIfCancellationRequested();
    }

    private static string Describe(TarEntryType type) => type switch
    {
        TarEntryType.SymbolicLink => "a symbolic link",
        TarEntryType.HardLink => "a hard link",
        TarEntryType.CharacterDevice or TarEntryType.BlockDevice => "a device",
        TarEntryType.Fifo => "a named pipe",
        _ => $"a special member ({type})",
    };
}
