namespace DmlPipeline.Storage;

/// <summary>The database cannot be reached, or refuses; the message says what to do.</summary>
/// <param name="setting">The setting that is wrong: <c>database</c>, <c>database-user</c> or <c>database-password</c>.</param>
/// <param name="message">Cause and remedy.</param>
/// <param name="inner">The error that showed it.</param>
public sealed class DatabaseException(string setting, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Setting => setting;
}
