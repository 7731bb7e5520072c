namespace DmlPipeline.Storage;

/// <summary>What is a key in every store: relative, '/' between segments, none of them empty, '.' or '..'.</summary>
internal static class ObjectKey
{
    /// <summary>Names that begin so are uploads under way; listings leave them out.</summary>
    public const string PartialPrefix = ".partial-";

    /// <exception cref="ArgumentException">This is no key.</exception>
    public static void Check(string key)
    {
        if (Flaw(key) is { } flaw) throw new ArgumentException($"'{key}' is no object key: {flaw}.", nameof(key));
    }

    public static bool IsValid(string key) => Flaw(key) is null;

    /// <summary>The same words whatever the store: not where it keeps its objects.</summary>
    public static FileNotFoundException Missing(string key) => new($"There is no object '{key}' in the store.", key);

    private static string? Flaw(string key)
    {
        var parts = key.Split('/');
        if (key.Contains('\0', StringComparison.Ordinal) || parts.Any(part => part is "" or "." or ".."))
            return "keys are relative, without empty, '.' or '..' segments";
        return parts.Any(part => part.StartsWith(PartialPrefix, StringComparison.Ordinal)) ? $"names that begin with '{PartialPrefix}' are uploads under way" : null;
    }
}
