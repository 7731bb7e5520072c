using System.ComponentModel.DataAnnotations;
using DmlPipeline.Imaging;

namespace DmlPipeline.Ingestion;

/// <summary>Limits and shares of a dataset build. Every limit exists because a drop may be hostile.</summary>
public sealed class IngestionOptions
{
    public const string Section = "Ingestion";

    /// <summary>Threads that check images.</summary>
    [Range(1, 256)]
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Drops of different datasets that one process builds side by side. Small ones wait for store and database most of their time.</summary>
    [Range(1, 64)]
    public int DropsAtOnce { get; set; } = 4;

    /// <summary>Where images wait between being checked and being written, as one temporary file; as large as the drop's images, and half a KiB more for each.</summary>
    public string TemporaryFolder { get; set; } = Path.GetTempPath();

    /// <summary>Shorter side in pixels below which an image is refused.</summary>
    [Range(1, 1024)]
    public int MinSide { get; set; } = 8;

    /// <summary>Bytes of one file, counted while it is read: the limit of an image, label file or archive member.</summary>
    [Range(1, 1 << 30)]
    public long MaxFileBytes { get; set; } = ImageLimits.Default.MaxBytes;

    /// <summary>Files in one drop, members of archives included.</summary>
    [Range(1, int.MaxValue)]
    public int MaxFiles { get; set; } = 2_000_000;

    /// <summary>Bytes unpacked from the archives of one drop: 1 TiB.</summary>
    [Range(1, long.MaxValue)]
    public long MaxUnpackedBytes { get; set; } = 1L << 40;

    /// <summary>Unpacked bytes per archive byte. Images hardly compress; a bomb does, a thousandfold.</summary>
    [Range(1, 100_000)]
    public int MaxCompressionRatio { get; set; } = 100;

    /// <summary>Bytes that an archive may unpack to before its ratio counts: 64 MiB, so that small label files pass.</summary>
    [Range(0, long.MaxValue)]
    public long RatioFreeBytes { get; set; } = 64L << 20;

    /// <summary>Images that a class needs before it counts: with one there is no pair to learn from or to find.</summary>
    [Range(2, 1000)]
    public int MinImagesPerClass { get; set; } = 2;

    /// <summary>Share of units that a dataset without its own settings keeps for validation.</summary>
    [Range(0.0, 0.5)]
    public double ValidationShare { get; set; } = 0.10;

    /// <summary>Share of units that a dataset without its own settings keeps for the test.</summary>
    [Range(0.01, 0.9)]
    public double TestShare { get; set; } = 0.25;

    /// <summary>Bytes of images after which a new tar shard begins: 256 MiB, large enough to stream, small enough to copy again.</summary>
    [Range(1, long.MaxValue)]
    public long ShardBytes { get; set; } = 256L << 20;

    /// <summary>Bits of 64 in which the difference hashes of two near-duplicates may differ; the search is exact for 0 to 3.</summary>
    [Range(0, 3)]
    public int NearDuplicateDistance { get; set; } = 2;

    [Range(0, 1_000_000)]
    public int MaxNearDuplicates { get; set; } = 10_000;

    /// <summary>Bytes of one refused file up to which a copy is kept: 16 MiB.</summary>
    [Range(0, long.MaxValue)]
    public long QuarantineFileBytes { get; set; } = 16L << 20;

    /// <summary>Bytes of all broken files of one drop that are kept: 256 MiB. Sound images that are kept out do not count against it.</summary>
    [Range(0, long.MaxValue)]
    public long QuarantineBytes { get; set; } = 256L << 20;

    /// <summary>Refused files listed with their reasons; more are counted only.</summary>
    [Range(1, 1_000_000)]
    public int MaxQuarantineEntries { get; set; } = 10_000;

    internal ImageLimits ImageLimits => ImageLimits.Default with { MaxBytes = MaxFileBytes };
}
