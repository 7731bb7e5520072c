namespace DmlPipeline.Ingestion.Archives;

internal enum ArchiveKind
{
    Zip,
    Tar,
    TarGz,
    TarZstd,
}

internal static class ArchiveKinds
{
    private static readonly string[] Unsupported = [".rar", ".7z", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".gz", ".bz2", ".xz", ".zst", ".cab", ".iso"];

    /// <returns>Null when the name is no archive's that is read here.</returns>
    public static ArchiveKind? OfName(string path)
    {
        if (Ends(path, ".zip")) return ArchiveKind.Zip;
        if (Ends(path, ".tar")) return ArchiveKind.Tar;
        if (Ends(path, ".tar.gz") || Ends(path, ".tgz")) return ArchiveKind.TarGz;
        if (Ends(path, ".tar.zst") || Ends(path, ".tzst")) return ArchiveKind.TarZstd;
        return null;
    }

    /// <summary>Archives of other kinds: refused by name, since "no image" would not help their owner.</summary>
    public static bool IsUnsupported(string path) => OfName(path) is null && Array.Exists(Unsupported, end => Ends(path, end));

    /// <summary>Tells an archive under another name: zip, gzip, zstd, rar, 7z, bzip2, xz or tar.</summary>
    public static bool LooksLikeArchive(ReadOnlySpan<byte> file) =>
        file.StartsWith("PK\u0003\u0004"u8) || file.StartsWith("PK\u0005\u0006"u8) || file.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])
        || file.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) || file.StartsWith("Rar!"u8) || file.StartsWith("7z"u8)
        || file.StartsWith("BZh"u8) || file.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z'])
        || file.Length > 262 && file[257..262].SequenceEqual("ustar"u8);

    private static bool Ends(string path, string end) => path.EndsWith(end, StringComparison.OrdinalIgnoreCase);
}
