using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DmlPipeline.Cli;

/// <summary>A command with examples in its help.</summary>
internal sealed class DocumentedCommand(string name, string description) : Command(name, description)
{
    /// <summary>Command lines without the program's name; what follows two spaces and a # is a remark.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];
}

/// <summary>The usual help, then the examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var result = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not DocumentedCommand { Examples.Count: > 0 } command) return result;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in command.Examples) output.WriteLine($"  {Hint.Command(example)}");
        output.WriteLine();
        return result;
    }
}
