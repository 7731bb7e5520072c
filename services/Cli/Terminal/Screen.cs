using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Contracts;
using Spectre.Console;

namespace DmlPipeline.Cli.Terminal;

/// <summary>Where a command writes: results to stdout, as text or as JSON; progress to stderr.</summary>
internal sealed class Screen
{
    // Wide enough that tables in files and pipes are never folded.
    private const int WidthOfFiles = 4096;

    // Between the columns of a table; the smaller ones where a terminal is too narrow for words at the usual one.
    private static readonly int[] Gaps = [3, 2, 1];

    private readonly IAnsiConsole console;
    private readonly TextWriter output;
    private readonly bool onTerminal;

    public Screen(ParseResult parse)
    {
        output = parse.InvocationConfiguration.Output;
        IsJson = parse.GetValue(SharedOptions.Json);
        onTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        console = ConsoleOver(output);
        var error = parse.InvocationConfiguration.Error;
        Live = new LiveLine(error, ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected);
    }

    public bool IsJson { get; }

    public LiveLine Live { get; }

    public void Line(string text = "")
    {
        Live.Clear();
        output.WriteLine(text);
    }

    public void Heading(string text)
    {
        Live.Clear();
        console.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    public void Json(JsonNode document)
    {
        Live.Clear();
        output.WriteLine(document.ToJsonString(ContractJson.Indented));
    }

    /// <summary>What a command lists: for programs an array, for people a table, or the sentence that says that there is nothing.</summary>
    public void Rows<T>(IReadOnlyList<T> rows, Func<T, JsonNode> toJson, string none, IReadOnlyList<string> headings, Func<T, IReadOnlyList<string>> cells)
    {
        if (IsJson) Json(new JsonArray([.. rows.Select(toJson)]));
        else if (rows.Count == 0) Line(none);
        else Table(headings, rows.Select(cells));
    }

    /// <summary>
    /// A table without a frame. Columns whose heading begins with '>' are flush right. On a terminal too narrow for it the widest columns are folded;
    /// on one too narrow for that as well, each row stands by itself.
    /// </summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        Live.Clear();
        var cells = rows.Select(row => (string[])[.. row.Select(Safe)]).ToList();
        string[] names = [.. headings.Select(heading => heading.TrimStart('>'))];
        bool[] right = [.. headings.Select(heading => heading.StartsWith('>'))];
        var (gap, widths) = Gaps.Select(between => (between, ColumnWidths.Fit([names, .. cells], right, between, console.Profile.Width))).FirstOrDefault(fit => fit.Item2 is not null);
        if (widths is null)
        {
            foreach (var row in cells) Record(names, row);
            return;
        }
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        for (var i = 0; i < names.Length; i++)
            table.AddColumn(new TableColumn(new Text(names[i], new Style(decoration: Decoration.Bold)))
            {
                Alignment = right[i] ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == names.Length - 1 ? 0 : gap, 0),
                Width = widths[i],
            });
        foreach (var row in cells) table.AddRow(row.Select(cell => new Text(cell)));
        if (onTerminal)
        {
            console.Write(table);
            return;
        }
        using var text = new StringWriter();
        ConsoleOver(text).Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n')) output.WriteLine(line.TrimEnd());
    }

    private void Record(string[] names, string[] row)
    {
        Heading(row[0].Length == 0 ? "–" : row[0]);
        Facts(names.Zip(row).Skip(1).Where(cell => cell.Second.Length > 0).Select(cell => (cell.First, (string?)cell.Second)));
    }

    /// <summary>Names and values below each other, the values in one column.</summary>
    public void Facts(params IEnumerable<(string Name, string? Value)> facts)
    {
        Live.Clear();
        var shown = facts.Where(fact => fact.Value is not null).ToList();
        var width = shown.Select(fact => fact.Name.Length).DefaultIfEmpty().Max();
        foreach (var (name, value) in shown) output.WriteLine($"  {name.PadRight(width)}  {Safe(value!)}");
    }

    /// <summary>Names come from files that anyone may have dropped: control characters could rewrite the terminal.</summary>
    public static string Safe(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? '\uFFFD' : c));

    private IAnsiConsole ConsoleOver(TextWriter writer)
    {
        var over = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = onTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = onTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!onTerminal) over.Profile.Width = WidthOfFiles;
        return over;
    }

    public static JsonNode? ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, ContractJson.Compact);
}
