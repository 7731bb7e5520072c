using DmlPipeline.Storage.S3;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace DmlPipeline.Storage;

/// <summary>A disk, a quota or a store that is full: no fault of the work, and over as soon as somebody has made room.</summary>
public static class NoRoom
{
    private const int NoSpaceLeft = 28, QuotaExceeded = 122; // ENOSPC, EDQUOT
    private const int SqliteFull = 13;

    // What .NET makes of EFBIG, in a write just as in setting a length; it has no code of its own.
    private const string FileTooLarge = "Specified file length was too large for the file system";

    /// <summary>Whether the error, or what caused it, says so.</summary>
    public static bool IsMeantBy(Exception error) => error.Causes().Any(SaysSo);

    private static bool SaysSo(Exception error) => error switch
    {
        StoreException store => store.IsFull,
        IOException => error.HResult is NoSpaceLeft or QuotaExceeded,
        ArgumentOutOfRangeException => error.Message.StartsWith(FileTooLarge, StringComparison.Ordinal),
        SqliteException database => database.SqliteErrorCode == SqliteFull,
        PostgresException database => database.SqlState == PostgresErrorCodes.DiskFull,
        _ => false,
    };
}
