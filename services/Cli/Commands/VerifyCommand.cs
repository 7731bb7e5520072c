using System.CommandLine;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.Care;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml verify</c>: every object against its recorded hash.</summary>
internal static class VerifyCommand
{
    private const int Damaged = 1;

    private static readonly Option<string> Prefix = new("--prefix") { Description = "Only objects whose keys begin so, for example datasets/birds/", HelpName = "KEY", DefaultValueFactory = _ => "" };

    public static Command Create()
    {
        var command = new DocumentedCommand("verify", "Read every stored object and compare it with the hash that was recorded when it was written")
        {
            Examples = ["verify", "verify --prefix models/ --json", "verify --settings dml.yaml"],
            Details =
                """
                Reads everything that datasets, runs and models count on: manifests, shards, weights, evaluations, lists of refused files.
                What is missing, damaged or unreadable is named with what needs it, and the exit code is 1.
                Of a pipeline of many processes: give it the store and the database that they are given, as flags, in the environment or in
                a settings file.
                """,
            Options = { Prefix },
        };
        foreach (var flag in SettingSources.FlagsOf(Settings.OfPlaces)) command.Options.Add(flag);
        command.SetAction(Verify);
        return command;
    }

    private static async Task<int> Verify(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var prefix = parse.GetValue(Prefix)!;
        var references = (await StoredReferences.All(home.Database, cancel)).Values.Where(reference => reference.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        var result = await StoreVerification.Run(references, home.Store, progress => screen.Live.Update(Describe(progress)), cancel);
        if (screen.IsJson)
        {
            screen.Json(Screen.ToJson(result)!);
            return result.Problems.Count == 0 ? 0 : Damaged;
        }
        if (references.Count == 0) screen.Line(prefix.Length == 0 ? "There is nothing to verify yet." : $"Nothing that datasets, runs or models count on begins with '{prefix}'.");
        else screen.Line($"{Show.Count(result.Objects, "object")} whole, {Show.Bytes(result.Bytes)} read{(result.WithoutHash == 0 ? "" : $"; {Show.Count(result.WithoutHash, "more is", "more are")} there, of which no hash was recorded")}.");
        if (result.Problems.Count == 0) return 0;
        screen.Line();
        screen.Table(["problem", "object", "needed by", ""], result.Problems.Select(problem => (string[])[problem.Problem, problem.Key, problem.Of, problem.Detail]));
        screen.Line();
        screen.Line($"{Show.Count(result.Problems.Count, "object is", "objects are")} not as recorded. Restore them from a backup, or drop the images again and train again.");
        return Damaged;
    }

    private static string Describe(VerificationProgress progress) =>
        $"verifying  {Show.Bar(progress.AllBytes == 0 ? 1 : (double)progress.Bytes / progress.AllBytes)}  {Show.Count(progress.Objects)} of {Show.Count(progress.All, "object")}  {Show.Bytes(progress.Bytes)}";
}
