using DmlPipeline.Storage.S3;
using Npgsql;

namespace DmlPipeline.Storage;

/// <summary>A database or a store that is away, or does not let this process in: nothing is wrong with the work, and once that is mended it will do.</summary>
public static class Outage
{
    /// <summary>Whether the error, or what caused it, says so.</summary>
    public static bool IsMeantBy(Exception error) => error.Causes().Any(SaysSo);

    private static bool SaysSo(Exception error) => error switch
    {
        StoreException store => store.IsOutage,
        // Most of what the server itself answers is about the question.
        PostgresException answer => answer.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections
            or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification,
        NpgsqlException lost => lost.IsTransient,
        _ => false,
    };

    /// <summary>The error, what caused it, what caused that.</summary>
    internal static IEnumerable<Exception> Causes(this Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException) yield return cause;
    }
}
