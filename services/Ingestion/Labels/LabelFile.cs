using System.Text;
using System.Text.Json;
using CsvHelper;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Ingestion.Labels;

/// <param name="Number">Line for people: 1 is the first row after the header, or the first line of JSON.</param>
/// <param name="Path">As written, relative to the label file.</param>
/// <param name="Split">Null when the row leaves it open.</param>
internal sealed record LabelRow(int Number, string Path, string Label, string? Split);

/// <summary>Reads a label file: CSV, TSV or JSON lines with <c>path</c>, <c>label</c> and optionally <c>split</c>.</summary>
internal static class LabelFile
{
    private const int MaxRowBytes = 64 << 10;

    /// <param name="Rows">Rows that are well formed.</param>
    /// <param name="Problems">Completes "row … :" for each row that is not, or a sentence for the whole file (row 0).</param>
    public sealed record Parsed(IReadOnlyList<LabelRow> Rows, IReadOnlyList<(int Row, string Problem)> Problems);

    public static Parsed Parse(string path, byte[] bytes)
    {
        var rows = new List<LabelRow>();
        var problems = new List<(int, string)>();
        try
        {
            if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)) ParseJsonLines(bytes, rows, problems);
            else ParseCsv(bytes, rows, problems);
        }
        catch (CsvFormatException e)
        {
            problems.Add((0, $"it cannot be read as CSV after row {rows.Count} ({FirstLine(e.Message)})"));
        }
        return new Parsed(rows, problems);
    }

    private static void ParseCsv(byte[] bytes, List<LabelRow> rows, List<(int, string)> problems)
    {
        using var stream = new MemoryStream(bytes);
        // The separator is found by looking: comma, semicolon, tab or bar. An unclosed quote must not swallow the file.
        using var csv = CsvReader.Create(stream, CsvReaderOptions.Default with { MaxRecordSize = MaxRowBytes, TrimWhitespace = true, TrimInsideQuotes = true }, leaveOpen: true);
        if (!csv.TryGetFieldIndex("path", out var path) || !csv.TryGetFieldIndex("label", out var label))
        {
            problems.Add((0, $"its first line must name the columns path and label, and may name split; it reads '{EntryPath.Display(string.Join(',', csv.Headers), 80)}'"));
            return;
        }
        var split = csv.TryGetFieldIndex("split", out var index) ? index : -1;
        for (var number = 1; csv.Read(); number++)
        {
            if (csv.FieldCount <= Math.Max(path, label)) problems.Add((number, "it has too few columns"));
            else Add(new LabelRow(number, csv.GetString(path), csv.GetString(label), split >= 0 && split < csv.FieldCount ? csv.GetString(split) : null), rows, problems);
        }
    }

    private static void ParseJsonLines(byte[] bytes, List<LabelRow> rows, List<(int, string)> problems)
    {
        using var text = new StreamReader(new MemoryStream(bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 8 });
                if (Field(json.RootElement, "path") is { } path && Field(json.RootElement, "label") is { } label)
                    Add(new LabelRow(number, path, label, Field(json.RootElement, "split")), rows, problems);
                else problems.Add((number, "it needs the members \"path\" and \"label\""));
            }
            catch (JsonException e)
            {
                problems.Add((number, $"it is no JSON object ({FirstLine(e.Message)})"));
            }
        }
    }

    private static string? Field(JsonElement row, string name) =>
        row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value) ? null
        : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };

    private static void Add(LabelRow row, List<LabelRow> rows, List<(int, string)> problems)
    {
        var split = string.IsNullOrWhiteSpace(row.Split) ? null : row.Split.Trim().ToLowerInvariant() switch
        {
            "train" or "training" => SplitNames.Train,
            "validation" or "valid" or "val" or "dev" => SplitNames.Validation,
            "test" => SplitNames.Test,
            _ => "",
        };
        var label = row.Label.Trim().Replace('\\', '/').Trim('/');
        if (split == "") problems.Add((row.Number, $"its split '{EntryPath.Display(row.Split!, 40)}' is none of train, validation and test"));
        else if (EntryPath.Parse(row.Path, out var path) is { } refusal) problems.Add((row.Number, $"'{EntryPath.Display(row.Path)}': {refusal}"));
        else if (EntryPath.CheckClass(label) is { } wrong) problems.Add((row.Number, wrong));
        else if (label.Split('/').Any(part => part is "" or "." or "..")) problems.Add((row.Number, "its label has an empty part, '.' or '..'"));
        else rows.Add(row with { Path = path, Label = label, Split = split });
    }

    private static string FirstLine(string text) => EntryPath.Display(text.Split('\n')[0].Trim().TrimEnd('.'), 120);
}
