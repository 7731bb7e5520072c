using System.CommandLine;
using DmlPipeline.Chaos.Faults;

namespace DmlPipeline.Chaos;

/// <summary><c>infra/chaos</c></summary>
internal static class ChaosCommand
{
    private const int Interrupted = 130;

    private static readonly Option<int> Drops = new("--drops") { Description = "Datasets and their later additions to drop", HelpName = "N", DefaultValueFactory = _ => 50 };
    private static readonly Option<int> Kills = new("--kills") { Description = "How often a service is ended with kill -9", HelpName = "N", DefaultValueFactory = _ => 200 };
    private static readonly Option<int?> Seed = new("--seed") { Description = "Repeats the choices of an earlier run", HelpName = "N" };
    private static readonly Option<int?> Rounds = new("--rounds") { Description = "How often each fault that is no kill strikes. Default: once for every 100 kills", HelpName = "N" };
    private static readonly Option<string> Only = new("--only") { Description = "Only these kinds or names of faults, by commas: kill,broker", HelpName = "FAULTS", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> Folder = new("--folder") { Description = "Where servers and services keep what they hold. Default: a new one below /var/tmp", HelpName = "FOLDER" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Keep that folder: logs and the servers' data" };
    private static readonly Option<bool> List = new("--list") { Description = "Say what faults there are, and end" };

    public static RootCommand Create()
    {
        var command = new RootCommand("The pipeline on real servers of its own, while its processes, servers, connections and messages fail at random. Exit code 0 only when every count at the end is right.")
        {
            Drops, Kills, Seed, Rounds, Only, Folder, Keep, List,
        };
        Only.Validators.Add(result =>
        {
            var unknown = Names(result.GetValueOrDefault<string>()).Where(name => !FaultCatalogue.All.Any(fault => fault.Goes(by: name))).ToList();
            if (unknown.Count > 0) result.AddError($"There is no fault '{string.Join(", ", unknown)}'. See --list");
        });
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        if (parse.GetValue(List))
        {
            foreach (var fault in FaultCatalogue.All) Console.WriteLine($"{fault.Kind,-9} {fault.Name,-24} {fault.Does}");
            return 0;
        }
        var kills = parse.GetValue(Kills);
        var options = new ChaosOptions
        {
            Drops = parse.GetValue(Drops),
            Kills = kills,
            // Chosen for a run that can be repeated, not for secrecy.
            Seed = parse.GetValue(Seed) ?? Random.Shared.Next(1_000_000),
            Rounds = parse.GetValue(Rounds) ?? Math.Max(1, kills / 100),
            Only = Names(parse.GetValue(Only)),
            Folder = parse.GetValue(Folder) ?? Path.Combine("/var/tmp", $"dmlpipeline-chaos-{Environment.ProcessId}"),
            Keep = parse.GetValue(Keep),
        };
        try
        {
            return await ChaosRun.Run(options, Console.Out, cancel) ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.WriteLine("interrupted");
            return Interrupted;
        }
    }

    private static string[] Names(string? text) => (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
