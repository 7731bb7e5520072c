namespace DmlPipeline.Storage.S3;

/// <summary>The store refuses, cannot be reached, or holds other bytes than were written; the message says what to do.</summary>
/// <param name="setting">The setting that is wrong, as <see cref="S3Settings"/> names it; null when none is.</param>
/// <param name="message">Cause and remedy.</param>
/// <param name="inner">The error that showed it.</param>
public sealed class StoreException(string? setting, string message, Exception? inner = null) : IOException(message, inner)
{
    public string? Setting => setting;

    /// <summary>It takes no more until somebody makes room.</summary>
    public bool IsFull { get; init; }

    /// <summary>It is away, or does not let this process in: nothing is wrong with what was asked, and once that is mended it will do.</summary>
    public bool IsOutage { get; init; }
}
