using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace DmlPipeline.Ingestion;

/// <summary>What a dataset may be called: the name becomes part of object keys, so it is strict.</summary>
public static partial class DatasetName
{
    public static bool IsValid([NotNullWhen(true)] string? name) => name is not null && Pattern().IsMatch(name);

    /// <exception cref="ArgumentException">The name is not allowed; the message says what is.</exception>
    public static void Validate(string name)
    {
        if (!IsValid(name))
            throw new ArgumentException(
                $"'{EntryPath.Display(name)}' cannot be a dataset's name: use 1 to 63 lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit.",
                nameof(name));
    }

    // \z, not $: the latter lets a trailing newline through.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
