using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml reproduce MODEL@VERSION</c>: trains a version again from its record, and compares.</summary>
internal static class ReproduceCommand
{
    private static readonly Argument<string> Version = new("MODEL@VERSION") { Description = "A registered version: birds@3, birds@champion" };
    private static readonly Option<double> Tolerance = new("--tolerance") { Description = "How far a ranking metric may be from its record where bits may differ; 0.02 is two points", HelpName = "SHARE", DefaultValueFactory = _ => 0.02 };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "Folder for the training, which is kept; one that was broken off goes on there. Default: a temporary one", HelpName = "FOLDER" };

    public static Command Create()
    {
        var command = new DocumentedCommand("reproduce", "Train a registered version again from its record, and compare")
        {
            Details =
                """
                Dataset version, recipe and seed come from the version's record; content hashes are compared first. On one CPU thread, with the same
                program, packages, libtorch and processor, every weight must be the same to the last bit. Otherwise, and where the length was a budget
                of time, the ranking metrics on the test classes must be within the tolerance. What differs in the environment is listed.
                A training that began with an earlier model begins with it again, once its file has the recorded hash; of one that began both so and
                from scratch, the start that was kept is trained.
                Exit code 0: reproduced. 1: not.
                """,
            Examples = ["reproduce birds@champion", "reproduce birds@3 --tolerance 0.005 --json"],
            Arguments = { Version },
            Options = { Tolerance, Output, SettingSources.FileFlag },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var text = parse.GetRequiredValue(Version);
        var at = text.LastIndexOf('@');
        var (model, which) = at > 0 ? (text[..at], text[(at + 1)..]) : (text, "champion");
        var row = await home.Database.ModelVersion(model, which, cancel) ?? throw await Missing.Model(home, model, which, cancel);
        var kept = parse.GetValue(Output);
        var folder = kept ?? Directory.CreateTempSubdirectory("dml-reproduce-").FullName;
        try
        {
            var result = await new Reproduction(home.Database, home.Store, screen.Live).Run(row, folder, cancel);
            var tolerance = parse.GetValue(Tolerance);
            if (screen.IsJson) screen.Json(ToJson(row, result, tolerance));
            else Tell(screen, row, result, tolerance);
            return result.IsReproduced(tolerance) ? 0 : 1;
        }
        finally
        {
            if (kept is null) Directory.Delete(folder, recursive: true);
        }
    }

    private static void Tell(Screen screen, ModelVersionRow row, ReproductionResult result, double tolerance)
    {
        var name = $"{row.Model} v{row.Version}";
        screen.Heading(
            result.Identical ? $"{name} is reproduced: every weight is the same, to the last bit."
            : result.MustBeIdentical ? $"{name} is NOT reproduced: nothing differs in the environment, and yet weights do, by up to {result.LargestDifference.ToString("0.0e0", CultureInfo.InvariantCulture)}."
            : result.IsReproduced(tolerance) ? $"{name} is reproduced within {Show.Percent(tolerance)}; weights differ by up to {result.LargestDifference.ToString("0.0e0", CultureInfo.InvariantCulture)}."
            : $"{name} is NOT reproduced within {Show.Percent(tolerance)}.");
        if (result.Metrics.Count > 0) screen.Table(["metric", ">recorded", ">now"], result.Metrics.Select(metric => (string[])[metric.Key, Show.Percent(metric.Value.Recorded), Show.Percent(metric.Value.Now)]));
        if (result.Differences.Count == 0) return;
        screen.Line();
        screen.Heading("what differs in the environment");
        screen.Table(["", "then", "now"], result.Differences.Select(fact => (string[])[fact.Name, fact.Then, fact.Now]));
    }

    private static JsonObject ToJson(ModelVersionRow row, ReproductionResult result, double tolerance) => new()
    {
        ["model"] = row.Model, ["version"] = row.Version, ["reproduced"] = result.IsReproduced(tolerance), ["identical"] = result.Identical, ["mustBeIdentical"] = result.MustBeIdentical,
        ["largestWeightDifference"] = double.IsFinite(result.LargestDifference) ? result.LargestDifference : null, ["tolerance"] = tolerance,
        ["metrics"] = new JsonObject(result.Metrics.Select(metric => KeyValuePair.Create(metric.Key, (JsonNode?)new JsonObject { ["recorded"] = metric.Value.Recorded, ["now"] = metric.Value.Now }))),
        ["environment"] = new JsonObject(result.Differences.Select(fact => KeyValuePair.Create(fact.Name, (JsonNode?)new JsonObject { ["then"] = fact.Then, ["now"] = fact.Now }))),
    };
}
