using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Registry;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml models [show NAME[@VERSION]]</c>: the registry. What changes it is in <see cref="VerdictCommands"/>.</summary>
internal static class ModelsCommand
{
    private const int MostVersions = 1000;

    private static readonly Argument<string> Name = new("NAME") { Description = "The model, or one version of it: NAME@champion, NAME@latest, NAME@3" };
    private static readonly Option<string> Filter = new("--filter") { Description = "Only versions that reach these values, for example recall@1>=0.9,map@r>0.5", HelpName = "CONDITIONS" };
    private static readonly Option<string> Best = new("--best") { Description = "Best first by this metric, for example map@r", HelpName = "METRIC" };

    public static Command Create()
    {
        var show = new DocumentedCommand("show", "Versions of a model with metrics and how its aliases moved; or one version with its lineage and what the gate made of it")
        {
            Examples = ["models show birds", "models show birds@champion", "models show birds@2 --json"],
            Arguments = { Name },
            Options = { SettingSources.FileFlag },
        };
        show.SetAction(ShowModel);
        var list = new DocumentedCommand("models", "List the registered model versions, or show a model")
        {
            Examples = ["models", "models --filter 'recall@1>=0.9' --best map@r", "models show birds"],
            Subcommands = { show },
            Options = { Filter, Best, SettingSources.FileFlag },
        };
        foreach (var command in VerdictCommands.OfModels()) list.Subcommands.Add(command);
        list.SetAction(List);
        return list;
    }

    private static async Task<int> List(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        IReadOnlyList<MetricCondition> conditions;
        try
        {
            conditions = MetricFilter.Parse(parse.GetValue(Filter));
        }
        catch (FormatException e)
        {
            throw new CliException(e.Message, e);
        }
        var versions = await home.Database.ModelVersions(model: null, conditions, parse.GetValue(Best), MostVersions, offset: 0, cancel);
        if (screen.IsJson) screen.Json(new JsonArray([.. versions.Select(ModelText.ToJson)]));
        else if (versions.Count > 0) ModelText.Table(screen, versions);
        else if (conditions.Count > 0) screen.Line("No version fulfils these conditions.");
        else screen.Line($"No models yet: a model is registered when a run has been trained and evaluated. See: {home.Hint("runs")}");
        return 0;
    }

    private static async Task<int> ShowModel(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var text = parse.GetRequiredValue(Name);
        var at = text.LastIndexOf('@');
        if (at > 0) return await ShowVersion(screen, home, text[..at], text[(at + 1)..], cancel);

        var versions = await home.Database.ModelVersions(text, [], bestBy: null, MostVersions, offset: 0, cancel);
        if (versions.Count == 0) throw await Missing.Model(home, text, "latest", cancel);
        var history = await home.Database.AliasHistory(text, cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["model"] = text,
                ["versions"] = new JsonArray([.. versions.Select(ModelText.ToJson)]),
                ["history"] = new JsonArray([.. history.Select(ModelText.ToJson)]),
            });
            return 0;
        }
        ModelText.Table(screen, versions);
        screen.Line();
        screen.Heading("how its aliases moved");
        screen.Table(["when", "version", "", "by", "reason"], history.Select(row => (string[])
            [Show.Time(row.DecidedAt), $"v{row.Version}", row.Promoted ? $"became {row.Alias}" : $"{row.Action} as {row.Alias}", row.DecidedBy, row.Reason]));
        return 0;
    }

    private static async Task<int> ShowVersion(Screen screen, OpenedHome home, string model, string which, CancellationToken cancel)
    {
        var row = await home.Database.ModelVersion(model, which, cancel) ?? throw await Missing.Model(home, model, which, cancel);
        if (screen.IsJson)
        {
            var json = (JsonObject)ModelText.ToJson(row);
            var record = await GateRecord.Of(home.Database, row, cancel);
            foreach (var part in new[] { "decisions", "verdicts" }) json[part] = record[part]!.DeepClone();
            screen.Json(json);
            return 0;
        }
        var document = JsonNode.Parse(row.ModelJson)!;
        var lineage = document["lineage"];
        screen.Heading($"{row.Model} v{row.Version}{(row.Aliases is null ? "" : $" ({row.Aliases.Replace(",", ", ", StringComparison.Ordinal)})")}");
        screen.Facts(
            ("run", row.RunId), ("dataset", $"{row.Dataset} v{row.DatasetVersion}, content {lineage?["datasetContentHash"]?.ToString()[..12]}"),
            ("registered", Show.Time(row.CreatedAt)), ("recipe", $"hash {document["recipeHash"]?.ToString()[..12]}"), ("seed", lineage?["seed"]?.ToString()),
            ("code", lineage?["codeVersion"]?.ToString()), ("device", lineage?["device"]?.ToString()),
            ("weights", home.PlaceOf($"models/{row.Model}/v{row.Version}/model.safetensors")),
            ("SHA-256", document["weights"]?["sha256"]?.ToString()));
        screen.Line();
        screen.Heading("on unseen classes");
        screen.Facts(ModelText.Metrics(row).Select(metric => (metric.Key, (string?)Show.Percent(metric.Value))));
        GateText.Print(
            screen, await home.Database.GateDecisions(row.Model, row.Version, cancel), await home.Database.Verdicts(row.Model, row.Version, cancel));
        return 0;
    }
}
