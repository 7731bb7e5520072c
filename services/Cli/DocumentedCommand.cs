using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DmlPipeline.Cli;

/// <summary>A command whose help says more than its one line in the list of commands.</summary>
internal sealed class DocumentedCommand(string name, string description) : Command(name, description)
{
    /// <summary>Paragraphs for the command's own help.</summary>
    public string? Details { get; init; }

    /// <summary>Command lines without the program's name; what follows two spaces and a # is a remark.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];
}

/// <summary>The usual help, then details and examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var result = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not DocumentedCommand command) return result;
        var output = parseResult.InvocationConfiguration.Output;
        if (command.Details is not null)
        {
            foreach (var line in command.Details.Split('\n')) output.WriteLine($"  {line}".TrimEnd());
            output.WriteLine();
        }
        output.WriteLine("Examples:");
        foreach (var example in command.Examples) output.WriteLine($"  {Hint.Command(example)}");
        output.WriteLine();
        return result;
    }
}
