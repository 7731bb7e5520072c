using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml datasets [show NAME]</c>: what was dropped and what became of it.</summary>
internal static class DatasetsCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The dataset" };

    public static Command Create()
    {
        var show = new DocumentedCommand("show", "Versions, splits and drops of one dataset, with the reasons for what was refused; what was decided about trainings, and why")
        {
            Examples = ["datasets show birds", "datasets show birds --json"],
            Arguments = { Name },
            Options = { SettingSources.FileFlag },
        };
        show.SetAction(ShowOne);
        var list = new DocumentedCommand("datasets", "List the datasets, or show one of them")
        {
            Examples = ["datasets", "datasets show birds"],
            Subcommands = { show },
            Options = { SettingSources.FileFlag },
        };
        list.SetAction(List);
        return list;
    }

    private static async Task<int> List(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var versions = (await home.Database.DatasetVersions(dataset: null, cancel)).ToLookup(v => v.Dataset, StringComparer.Ordinal);
        var drops = (await home.Database.Drops(dataset: null, cancel)).ToLookup(d => d.Dataset, StringComparer.Ordinal);
        var names = versions.Select(g => g.Key).Union(drops.Select(g => g.Key), StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (screen.IsJson)
        {
            screen.Json(new JsonArray([.. names.Select(name => new JsonObject
            {
                ["dataset"] = name,
                ["versions"] = versions[name].Count(),
                ["latest"] = versions[name].LastOrDefault() is { } latest ? DatasetText.ToJson(latest) : null,
                ["lastDrop"] = drops[name].LastOrDefault() is { } drop ? DatasetText.ToJson(drop) : null,
            })]));
            return 0;
        }
        if (names.Count == 0)
        {
            screen.Line($"No datasets yet. Drop one with: {home.Hint("drop", "NAME", "FOLDER-OR-ARCHIVE")}");
            return 0;
        }
        screen.Table(["dataset", ">version", ">images", ">train", ">validation", ">test classes", "made", "last drop"], names.Select(name =>
        {
            var latest = versions[name].LastOrDefault();
            var drop = drops[name].LastOrDefault();
            return (string[])
            [
                name, latest is null ? "–" : $"v{latest.Version}", latest is null ? "" : Show.Count(latest.Images),
                Classes(latest, SplitNames.Train), Classes(latest, SplitNames.Validation), Classes(latest, SplitNames.Test),
                latest is null ? "" : Show.Time(latest.CreatedAt), drop is null ? "" : DatasetText.Describe(drop),
            ];
        }));
        return 0;
    }

    private static async Task<int> ShowOne(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var home = await OpenedHome.Open(parse, cancel);
        var name = parse.GetRequiredValue(Name);
        var versions = await home.Database.DatasetVersions(name, cancel);
        var drops = await home.Database.Drops(name, cancel);
        if (versions.Count == 0 && drops.Count == 0) throw await Missing.Dataset(home, name, cancel);
        var decisions = await DecisionText.Latest(home.Database, name, cancel);
        if (screen.IsJson)
        {
            var document = new JsonObject
            {
                ["dataset"] = name,
                ["versions"] = new JsonArray([.. versions.Select(DatasetText.ToJson)]),
                ["drops"] = new JsonArray([.. drops.Select(DatasetText.ToJson)]),
                ["decisions"] = new JsonArray([.. decisions.Select(DecisionText.ToJson)]),
            };
            screen.Json(document);
            return 0;
        }
        if (versions.Count > 0)
        {
            screen.Heading($"{name}: versions");
            screen.Table(
                ["version", ">images", ">added", ">train", ">validation", ">test classes", "split by", "made", "content"],
                versions.Select(row =>
                {
                    var manifest = row.Manifest;
                    return (string[])
                    [
                        $"v{row.Version}", Show.Count(row.Images), Show.Count(manifest.Counts.Added), Classes(row, SplitNames.Train), Classes(row, SplitNames.Validation),
                        Classes(row, SplitNames.Test), manifest.Split.By, Show.Time(row.CreatedAt), manifest.ContentHash[..12],
                    ];
                }));
            foreach (var row in versions.Where(row => row.Manifest.Layout is not null)) screen.Line($"v{row.Version} {row.Manifest.Split.Reason}");
            screen.Line();
        }
        screen.Heading($"{name}: drops");
        screen.Table(["dropped", ">files", ">size", "what became of it"], drops.Select(drop => (string[])
            [Show.Time(drop.CreatedAt), Show.Count(drop.Objects), Show.Bytes(drop.Bytes), DatasetText.Describe(drop)]));
        if (decisions.Count > 0)
        {
            screen.Line();
            screen.Heading($"{name}: whether to train");
            screen.Table(["asked", "version", "by", "decision", "why"], decisions.Select(DecisionText.Row));
        }
        if (drops.LastOrDefault() is { } last && DatasetText.Outcome(last)?.Quarantine is not null)
        {
            screen.Line();
            screen.Heading("refused files of the last drop");
            await RefusedFiles.Print(screen, home.Store, last, cancel);
        }
        return 0;
    }

    private static string Classes(DatasetVersionRow? row, string split) => row is null ? "" : Show.Count(row.Manifest.Classes.Count(c => c.Split == split));
}
