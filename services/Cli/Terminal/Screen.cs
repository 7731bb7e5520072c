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

    /// <summary>A table without a frame. Columns whose heading begins with '>' are flush right.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        Live.Clear();
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        for (var i = 0; i < headings.Count; i++)
        {
            var right = headings[i].StartsWith('>');
            var column = new TableColumn(new Text(headings[i].TrimStart('>'), new Style(decoration: Decoration.Bold)))
            {
                Alignment = right ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == headings.Count - 1 ? 0 : 3, 0),
                NoWrap = i < headings.Count - 1,
            };
            table.AddColumn(column);
        }
        foreach (var row in rows) table.AddRow(row.Select(cell => new Text(Safe(cell))));
        if (onTerminal)
        {
            console.Write(table);
            return;
        }
        using var text = new StringWriter();
        ConsoleOver(text).Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n')) output.WriteLine(line.TrimEnd());
    }

    /// <summary>Names and values below each other, the values in one column.</summary>
    public void Facts(params IEnumerable<(string Name, string? Value)> facts)
    {
        Live.Clear();
        var shown = facts.Where(fact => fact.Value is not null).ToList();
        var width = shown.Max(fact => fact.Name.Length);
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
