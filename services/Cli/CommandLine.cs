using System.CommandLine;
using System.CommandLine.Help;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Cli;

/// <summary><c>dml</c>: every command is one file in Commands.</summary>
public static class CommandLine
{
    private const int Failed = 1, WrongUsage = 2, Interrupted = 130;

    private static readonly RootCommand Root = Create();

    /// <returns>0 when it worked, 1 when it did not, 2 when the command line is wrong, 130 when it was interrupted.</returns>
    public static async Task<int> Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancel)
    {
        var parse = Root.Parse(arguments.Count == 0 ? ["--help"] : arguments);
        if (parse.Errors.Count > 0)
        {
            // "Unrecognized command" says enough: that one is required as well follows from it.
            var mistakes = parse.Errors.Select(e => e.Message).Distinct(StringComparer.Ordinal).ToList();
            if (mistakes.Count > 1) mistakes.RemoveAll(mistake => mistake.StartsWith("Required command", StringComparison.Ordinal));
            foreach (var mistake in mistakes) await error.WriteLineAsync($"error: {mistake}");
            await error.WriteLineAsync($"Help: {Hint.Command(NameOf(parse.CommandResult.Command), "--help")}");
            return WrongUsage;
        }
        try
        {
            var invocation = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parse.InvokeAsync(invocation, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await error.WriteLineAsync("interrupted");
            return Interrupted;
        }
        catch (Exception e)
        {
            var verbose = parse.GetValue(SharedOptions.Verbose);
            await error.WriteLineAsync($"error: {Explain(e, verbose)}");
            if (verbose) await error.WriteLineAsync(e.ToString());
            return Failed;
        }
    }

    private static RootCommand Create()
    {
        var root = new RootCommand(
            """
            Deep metric learning as a pipeline: images dropped into an inbox become versioned datasets, trained and evaluated embedding models.

            Everything is kept in one folder, --home. Commands that only read work whether or not the pipeline runs.
            """)
        {
            DemoCommand.Create(), UpCommand.Create(), StatusCommand.Create(), ServeCommand.Create(), MigrateCommand.Create(), DeadLettersCommand.Create(),
            DropCommand.Create(), DatasetsCommand.Create(),
            TrainCommand.Create(), RecipesCommand.Create(), RunsCommand.Create(), CancelCommand.Create(), ResumeCommand.Create(),
            QueueCommand.Create(), WorkersCommand.Create(), SchedulesCommand.Create(),
            ModelsCommand.Create(), VerdictCommands.Rollback(), WebhooksCommand.Create(), EvaluateCommand.Create(), SearchCommand.Create(), EmbedCommand.Create(),
            ReproduceCommand.Create(), BenchmarkCommand.Create(), SweepCommand.Create(), SweepsCommand.Create(),
            VerifyCommand.Create(), GcCommand.Create(),
            SharedOptions.Home, SharedOptions.Json, SharedOptions.Verbose,
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    private static string Explain(Exception e, bool verbose) => e switch
    {
        CliException or RecipeException or ArgumentException or InvalidOperationException or InvalidDataException or IOException or UnauthorizedAccessException => e.Message,
        _ => verbose ? e.Message : $"{e.Message} ({e.GetType().Name}; --verbose shows where)",
    };

    private static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{NameOf(parent)} {command.Name}" : command is RootCommand ? "" : command.Name;
}
