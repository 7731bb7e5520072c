using System.Net.Sockets;
using Npgsql;

namespace DmlPipeline.Storage.Engines;

/// <summary>Where a PostgreSQL database is and who asks for it; and what to tell people when that is wrong.</summary>
internal static class PostgresAddress
{
    private const string Address = "database", UserName = "database-user", PasswordName = "database-password";
    private const string Form = "write postgres://HOST[:PORT]/DATABASE, or the path of a file for SQLite";

    public static bool IsOne(string location) =>
        location.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || location.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="DatabaseException">It is no address.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string location, string? user, string? password)
    {
        if (!Uri.TryCreate(location, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Segments.Length != 2)
            throw new DatabaseException(Address, $"'{location}' is no address of a database: {Form}.");
        if (uri.UserInfo.Length > 0)
            throw new DatabaseException(Address, $"The address of the database holds a user or a password, which logs would show: give them as {UserName} and {PasswordName}.");
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Trim('[', ']'), Port = uri.Port > 0 ? uri.Port : 5432, Database = Uri.UnescapeDataString(uri.Segments[1]), Username = user, Password = password,
        };
        foreach (var option in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = option.Split('=', 2);
            try
            {
                builder[Uri.UnescapeDataString(pair[0])] = Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? "");
            }
            catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
            {
                throw new DatabaseException(Address, $"'{option}' is no option of a PostgreSQL connection: after '?' come names as Npgsql knows them, such as sslmode=require or searchpath=dml.", e);
            }
        }
        return builder;
    }

    /// <summary>The error with cause and remedy, or null when it tells of something else than the address.</summary>
    public static DatabaseException? Explain(Exception error, NpgsqlConnectionStringBuilder address)
    {
        var place = $"{address.Host}:{address.Port}";
        return error switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } => new(
                PasswordName, $"PostgreSQL at {place} does not accept the password of '{address.Username}'. Correct {PasswordName}, or {UserName}.", error),
            PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification } => new(
                UserName, $"PostgreSQL at {place} does not let '{address.Username}' in ({((PostgresException)error).MessageText}). Correct {UserName}, or allow it in pg_hba.conf.", error),
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => new(
                Address, $"PostgreSQL at {place} has no database '{address.Database}'. Create it (create database \"{address.Database}\" owner \"{address.Username}\"), or correct {Address}.", error),
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } => new(
                UserName, $"'{address.Username}' may not create tables in the database '{address.Database}' at {place}. Grant it (grant create on schema public to \"{address.Username}\"), or correct {UserName}.", error),
            PostgresException { SqlState: PostgresErrorCodes.InvalidSchemaName } => new(
                Address, $"The database '{address.Database}' at {place} has no schema '{address.SearchPath ?? "public"}'. Create it, or correct {Address}.", error),
            NpgsqlException { InnerException: SocketException or TimeoutException or IOException } => new(
                Address, $"PostgreSQL at {place} gives no answer ({error.GetBaseException().Message}). Is it running, and is the address in {Address} right?", error),
            ArgumentException or NpgsqlException { SqlState: null } when address.Username is null => new(
                UserName, $"PostgreSQL at {place} needs a user: set {UserName} and {PasswordName}.", error),
            _ => null,
        };
    }
}
