using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Registry;

/// <summary>Who may change something over HTTP: one line each, a name and a token. The name is what history remembers.</summary>
public static class WriteTokens
{
    private const int ShortestToken = 16;

    /// <summary>The hash of each token, with its owner's name. The file is read for every request that changes something: a token that is taken out is out at once.</summary>
    /// <exception cref="GateFileException">The file cannot be read, or a line is wrong.</exception>
    public static IReadOnlyList<(string Name, byte[] Hash)> Read(string? path)
    {
        if (path is null) return [];
        try
        {
            return [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Select(Parse)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GateFileException($"the file with the registry's tokens cannot be read: {e.Message} Mend it, or name another as registry: token-file.", e);
        }
    }

    /// <summary>Whose token it is; null when it is nobody's. Every token is compared, and whole, so that the time taken tells nothing.</summary>
    public static string? OwnerOf(string? path, string? authorization)
    {
        const string scheme = "Bearer ";
        if (authorization is null || !authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(authorization[scheme.Length..].Trim()));
        string? owner = null;
        foreach (var (name, hash) in Read(path))
            if (CryptographicOperations.FixedTimeEquals(given, hash)) owner = name;
        return owner;
    }

    private static (string Name, byte[] Hash) Parse(string line)
    {
        var parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts is [var name, var token] && token.Length >= ShortestToken
            ? (name, SHA256.HashData(Encoding.UTF8.GetBytes(token)))
            : throw new GateFileException($"the file with the registry's tokens must hold a name and a token of {ShortestToken} characters or more on each line, such as: alice {new string('x', ShortestToken)}");
    }
}
