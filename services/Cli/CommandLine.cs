using System.CommandLine;
using System.CommandLine.Help;
using System.Data.Common;
using System.Text.RegularExpressions;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Cli;

/// <summary><c>dml</c>: every command is one file in Commands.</summary>
public static partial class CommandLine
{
    // Of SQL.
    private const string InsufficientPrivilege = "42501";

    private const int Failed = 1, WrongUsage = 2, Interrupted = 130;

    internal static readonly RootCommand Root = Create();

    /// <returns>0 when it worked, 1 when it did not, 2 when the command line is wrong, 130 when it was interrupted.</returns>
    public static async Task<int> Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancel)
    {
        var parse = Root.Parse(arguments.Count == 0 ? ["--help"] : arguments);
        if (parse.Errors.Count > 0)
        {
            // "Unrecognized command" says enough: that one is required as well follows from it.
            var mistakes = parse.Errors.Select(e => InWords(e.Message)).Distinct(StringComparer.Ordinal).ToList();
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
            BestEffort.Tell(() => error.WriteLine("interrupted"));
            return Interrupted;
        }
        catch (Exception e)
        {
            var verbose = parse.GetValue(SharedOptions.Verbose);
            BestEffort.Tell(() => error.WriteLine($"error: {Explain(e, verbose)}{(verbose ? $"\n{e}" : "")}"));
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
        SettingException wrong => HowToSet(wrong.Message, wrong.Setting),
        DatabaseException refused => HowToSet($"{refused.Setting}: {refused.Message}", refused.Setting),
        StoreException { Setting: { } setting } => HowToSet($"{setting}: {e.Message}", setting),
        CliException or RecipeException or ArgumentException or InvalidOperationException or InvalidDataException or IOException or UnauthorizedAccessException => e.Message,
        // The server says which table; who may do what is decided in infra/identities.
        DbException { SqlState: InsufficientPrivilege } => $"{e.Message}: the database user may not do that. Name one that may, with --database-user and --database-password-file, or in the environment.",
        _ => verbose ? e.Message : $"{e.Message} ({e.GetType().Name}; --verbose shows where)",
    };

    private static string HowToSet(string problem, string name) => Settings.Known.FirstOrDefault(setting => setting.Name == name) is { } known
        ? $"{problem.TrimEnd('.')}{(problem.EndsWith('?') ? "" : ".")}\n{known.Name}: {known.HowToSet}."
        : problem;

    /// <summary>The library names the type that it expects as the runtime does.</summary>
    private static string InWords(string mistake)
    {
        if (WrongType().Match(mistake) is not { Success: true } match) return mistake;
        var (value, option, type) = (match.Groups["value"].Value, match.Groups["option"].Value, match.Groups["type"].Value);
        var kind = type.Contains("Int", StringComparison.Ordinal) ? "whole number" : type.Contains("Date", StringComparison.Ordinal) ? "time such as 2027-03-27" : "number";
        return $"{option} '{value}' is no {kind}.";
    }

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for (option|argument) '(?<option>.*)' as expected type '(?<type>.*)'", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WrongType();

    private static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{NameOf(parent)} {command.Name}" : command is RootCommand ? "" : command.Name;
}
