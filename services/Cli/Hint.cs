using DmlPipeline.Cli.Commands;

namespace DmlPipeline.Cli;

/// <summary>Commands to show the user, written so that they work when pasted.</summary>
internal static class Hint
{
    // infra/dml says by which name it was called.
    private static readonly string Program = Environment.GetEnvironmentVariable("DML_COMMAND") is { Length: > 0 } name ? Quote(name) : "dml";

    public static string Command(params IEnumerable<string> words) => string.Join(' ', words.Where(word => word.Length > 0).Prepend(Program));

    /// <summary>As <see cref="Command"/>, on a home that may not be the default one.</summary>
    public static string On(string home, params IEnumerable<string> words) =>
        Path.GetFullPath(home) == Path.GetFullPath(SharedOptions.DefaultHome) ? Command(words) : Command([.. words, "--home", Quote(home)]);

    /// <summary>The word as a shell reads it back.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '@' or ':' or '+' or '=' or ',') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

