namespace DmlPipeline.Ingestion.Archives;

/// <summary>An archive went over a limit and is read no further. The message completes "the archive was read no further: …".</summary>
internal sealed class ArchiveLimitException(string message) : Exception(message);

/// <summary>Counts what archives really unpack to; what their headers claim is not believed. One per drop, for one reading thread.</summary>
internal sealed class UnpackBudget(IngestionOptions options)
{
    private long unpackedInAll;
    private long unpacked;
    private Func<long> packed = () => 0;

    public int Files { get; private set; }

    /// <param name="packedBytes">Bytes of the archive that were read so far, or its length.</param>
    public void BeginArchive(Func<long> packedBytes)
    {
        packed = packedBytes;
        unpacked = 0;
    }

    public void CountFile()
    {
        if (++Files > options.MaxFiles)
            throw new ArchiveLimitException($"the drop holds more than {options.MaxFiles:N0} files; split it into several");
    }

    public void Spend(long bytes)
    {
        unpacked += bytes;
        unpackedInAll += bytes;
        if (unpackedInAll > options.MaxUnpackedBytes)
            throw new ArchiveLimitException($"the drop unpacks to more than {options.MaxUnpackedBytes >> 20:N0} MiB; split it into several");
        if (unpacked > options.RatioFreeBytes && unpacked > packed() * options.MaxCompressionRatio)
            throw new ArchiveLimitException($"it unpacks to more than {options.MaxCompressionRatio} times its size, which images never do (an archive bomb)");
    }
}
