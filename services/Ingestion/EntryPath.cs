using System.Globalization;
using System.Text;
using DmlPipeline.Ingestion.Layouts;

namespace DmlPipeline.Ingestion;

/// <summary>
/// Names as they were dropped. They are text only: no dropped name ever becomes a file path or an object key, and what is stored
/// of one is cleaned and cut.
/// </summary>
internal static class EntryPath
{
    private const int MaxLength = 4096;
    private const int MaxClassLength = 200;
    private const int MaxClassDepth = 16;

    private static readonly HashSet<string> IgnoredNames = new(StringComparer.OrdinalIgnoreCase) { "Thumbs.db", "desktop.ini", "_READY", "_SUCCESS" };

    private static readonly HashSet<string> IgnoredExtensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".txt", ".md", ".rst", ".html", ".htm", ".pdf", ".json", ".xml", ".yaml", ".yml", ".ini", ".log", ".url", ".py", ".m", ".mat", ".sha256", ".md5",
    };

    private static readonly string[] IgnoredPrefixes = ["README", "LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG"];

    private static readonly HashSet<string> ImageExtensions = new(StringComparer.OrdinalIgnoreCase) { ".png", ".jpg", ".jpeg", ".webp" };

    /// <summary>Brings a dropped name into the form <c>a/b/c</c>.</summary>
    /// <returns>Null when the name is acceptable, else why it is not.</returns>
    public static string? Parse(string raw, out string path)
    {
        path = "";
        if (raw.Length > MaxLength) return $"its name has more than {MaxLength} characters";
        if (raw.Contains('\0', StringComparison.Ordinal)) return "its name contains a NUL character, a trick to hide the real name";

        // Archives made on Windows may use backslashes; treating them as separators also unmasks '..\'.
        var slashed = raw.Replace('\\', '/');
        if (slashed.StartsWith('/')) return "its name is an absolute path; names in a drop are relative";
        if (slashed.Length >= 2 && slashed[1] == ':' && char.IsAsciiLetter(slashed[0])) return "its name is an absolute path; names in a drop are relative";
        var segments = slashed.Split('/', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(s => s != ".").ToArray();
        if (segments.Contains("..", StringComparer.Ordinal)) return "its name climbs out of the drop with '..'";
        if (segments.Length == 0) return "it has no name";
        path = string.Join('/', segments);
        return null;
    }

    /// <returns>Null when the text can name a class, else why it cannot.</returns>
    public static string? CheckClass(string name)
    {
        if (name.Length == 0) return "its label is empty";
        if (name.Length > MaxClassLength) return $"its class name has {name.Length} characters; {MaxClassLength} are allowed";
        if (name.Count(c => c == '/') >= MaxClassDepth) return $"its class lies more than {MaxClassDepth} folders deep";
        if (name.Contains('\uFFFD', StringComparison.Ordinal)) return "its class name is not valid UTF-8: rename the folder";
        // A lone surrogate is enumerated as the replacement character, so it is caught here too.
        if (name.EnumerateRunes().Any(r => Rune.IsControl(r) || r == Rune.ReplacementChar || Rune.GetUnicodeCategory(r) == UnicodeCategory.Format))
            return "its class name contains control characters: rename the folder";
        return null;
    }

    /// <summary>Files that come with datasets but hold no image: counted, never quarantined.</summary>
    public static bool IsIgnored(string path)
    {
        if (IsHidden(path)) return true;
        var name = FileName(path);
        if (IgnoredNames.Contains(name)) return true;
        var extension = Path.GetExtension(name);
        if (IgnoredExtensions.Contains(extension)) return true;
        return !ImageExtensions.Contains(extension) && IgnoredPrefixes.Any(p => name.StartsWith(p, StringComparison.OrdinalIgnoreCase));
    }

    public static bool IsLabelFile(string path) => path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);

    /// <summary>A file that describes a published dataset, by its name.</summary>
    public static bool IsAnnotation(string path) => LayoutCatalogue.IsAnnotation(FileName(path)) && !IsHidden(path);

    /// <summary><c>dataset.yaml</c> beside the class folders, or in the one folder that an archive wraps around them.</summary>
    public static bool IsSettings(string path, bool inArchive) =>
        FileName(path) is "dataset.yaml" or "dataset.yml" && path.Count(c => c == '/') <= (inArchive ? 1 : 0);

    private static bool IsHidden(string path) => path.Split('/').Any(s => s == "__MACOSX" || s.StartsWith('.'));

    public static string Folder(string path) => path.LastIndexOf('/') is var i and >= 0 ? path[..i] : "";

    public static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];

    public static string FirstSegment(string path) => path.IndexOf('/', StringComparison.Ordinal) is var i and >= 0 ? path[..i] : path;

    /// <summary>The text without control characters and cut to what a table cell can show; the end, which tells files apart, stays.</summary>
    public static string Display(string text, int max = 200)
    {
        var clean = new StringBuilder(Math.Min(text.Length, max + 1));
        var cut = text.Length > max;
        foreach (var rune in (cut ? "…" + text[^(max - 1)..] : text).EnumerateRunes())
            clean.Append(Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format ? Rune.ReplacementChar : rune);
        return clean.ToString();
    }
}
