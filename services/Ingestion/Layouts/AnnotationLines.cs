using System.Globalization;
using System.Text;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>Reads annotations that are lines of words.</summary>
internal static class AnnotationLines
{
    // More lines than this are not listed one by one when they are wrong: the file is of another kind.
    private const int MaxProblems = 20;

    /// <summary>Files of these names that lie together, for every place where all of them do.</summary>
    public static IEnumerable<TextFile[]> Sets(DropScan scan, params string[] names) => scan.Annotations
        .GroupBy(file => (file.Scope, Folder: EntryPath.Folder(file.Path))).OrderBy(place => place.Key)
        .Select(place => names.Select(name => place.FirstOrDefault(file => EntryPath.FileName(file.Path) == name)).OfType<TextFile>().ToArray())
        .Where(files => files.Length == names.Length);

    /// <summary>Lines with their words, the last of which takes the rest of the line; empty lines are left out.</summary>
    public static IEnumerable<(int Number, string[] Words)> Of(TextFile file, int words)
    {
        using var text = new StreamReader(new MemoryStream(file.Bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        for (var number = 1; text.ReadLine() is { } line; number++)
            if (!string.IsNullOrWhiteSpace(line)) yield return (number, line.Split((char[]?)null, words, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    public static bool IsNumber(string word, out int number) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public static void Refuse(List<Refusal> problems, DropScan scan, TextFile file, int line, string reason)
    {
        if (problems.Count < MaxProblems) problems.Add(new Refusal(file.Order, $"{scan.NameOf(file.Scope, file.Path)} line {line}", reason));
    }
}
