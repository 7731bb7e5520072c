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

    /// <param name="row">Told of each row that is well formed.</param>
    /// <param name="problem">Told of each that is not, with what completes "row … :"; or of the whole file, as row 0.</param>
    public static void Read(string path, byte[] bytes, Action<LabelRow> row, Action<int, string> problem)
    {
        var read = 0;
        try
        {
            if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)) ParseJsonLines(bytes, Count, problem);
            else ParseCsv(bytes, Count, problem);
        }
        catch (CsvFormatException e)
        {
            problem(0, $"it cannot be read as CSV after row {read} ({FirstLine(e.Message)})");
        }

        void Count(LabelRow good)
        {
            read++;
            row(good);
        }
    }

    private static void ParseCsv(byte[] bytes, Action<LabelRow> row, Action<int, string> problem)
    {
        using var stream = new MemoryStream(bytes);
        // The separator is found by looking: comma, semicolon, tab or bar. An unclosed quote must not swallow the file.
        using var csv = CsvReader.Create(stream, CsvReaderOptions.Default with { MaxRecordSize = MaxRowBytes, TrimWhitespace = true, TrimInsideQuotes = true }, leaveOpen: true);
        if (!csv.TryGetFieldIndex("path", out var path) || !csv.TryGetFieldIndex("label", out var label))
        {
            problem(0, $"its first line must name the columns path and label, and may name split; it reads '{EntryPath.Display(string.Join(',', csv.Headers), 80)}'");
            return;
        }
        var split = csv.TryGetFieldIndex("split", out var index) ? index : -1;
        for (var number = 1; csv.Read(); number++)
        {
            if (csv.FieldCount <= Math.Max(path, label)) problem(number, "it has too few columns");
            else Add(new LabelRow(number, csv.GetString(path), csv.GetString(label), split >= 0 && split < csv.FieldCount ? csv.GetString(split) : null), row, problem);
        }
    }

    private static void ParseJsonLines(byte[] bytes, Action<LabelRow> row, Action<int, string> problem)
    {
        using var text = new StreamReader(new MemoryStream(bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 8 });
                if (Field(json.RootElement, "path") is { } path && Field(json.RootElement, "label") is { } label)
                    Add(new LabelRow(number, path, label, Field(json.RootElement, "split")), row, problem);
                else problem(number, "it needs the members \"path\" and \"label\"");
            }
            catch (JsonException e)
            {
                problem(number, $"it is no JSON object ({FirstLine(e.Message)})");
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

    private static void Add(LabelRow written, Action<LabelRow> row, Action<int, string> problem)
    {
        var split = string.IsNullOrWhiteSpace(written.Split) ? null : written.Split.Trim().ToLowerInvariant() switch
        {
            "train" or "training" => SplitNames.Train,
            "validation" or "valid" or "val" or "dev" => SplitNames.Validation,
            "test" => SplitNames.Test,
            _ => "",
        };
        var label = written.Label.Trim().Replace('\\', '/').Trim('/');
        if (split == "") problem(written.Number, $"its split '{EntryPath.Display(written.Split!, 40)}' is none of train, validation and test");
        else if (EntryPath.Parse(written.Path, out var path) is { } refusal) problem(written.Number, $"'{EntryPath.Display(written.Path)}': {refusal}");
        else if (EntryPath.CheckClass(label) is { } wrong) problem(written.Number, wrong);
        else if (label.Split('/').Any(part => part is "" or "." or "..")) problem(written.Number, "its label has an empty part, '.' or '..'");
        else row(written with { Path = path, Label = label, Split = split });
    }

    private static string FirstLine(string text) => EntryPath.Display(text.Split('\n')[0].Trim().TrimEnd('.'), 120);
}
