using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml drop DATASET PATH…</c>: puts images into the inbox.</summary>
internal static class DropCommand
{
    private static readonly Argument<string> Dataset = new("DATASET") { Description = "Name of the dataset; a new one begins, a known one grows" };

    private static readonly Argument<string[]> Paths = new("PATH")
    {
        Description = "Folders of class folders, class folders, archives (zip, tar, tar.gz, tar.zst), label files (csv, tsv, jsonl) or images",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string> SplitBy = SplitByOption();

    private static readonly Option<string> Recipe = new("--recipe") { Description = "Recipe that this dataset is trained with: a name (see dml recipes) or a file", HelpName = "NAME-OR-FILE" };

    private static readonly Option<bool> Wait = SharedOptions.Wait("Follow the drop until it has become a version; exit code 1 when it has not");

    public static Option<string> SplitByOption()
    {
        var option = new Option<string>("--split-by")
        {
            Description = "What stays together in one split: a class, or the first folder (an alphabet, a genus). Default: auto",
        };
        option.AcceptOnlyFromAmong("class", "first-folder", "auto");
        return option;
    }

    public static Command Create()
    {
        var command = new DocumentedCommand("drop", "Put images into the inbox: a dataset begins or grows, and is trained on")
        {
            Details =
                """
                Folder names are class names. Classes are divided into training, validation and test; a class never changes sides, so that the
                test is always on unseen classes. What cannot be used is kept aside with the reason. A dataset.yaml in the folder may set
                layout, split_by, validation, test, validation_classes, test_classes and recipe. CUB-200-2011, Cars196, Stanford Online
                Products, In-Shop, Market-1501 and Omniglot are recognised as they are published and get their papers' split.
                """,
            Examples =
            [
                "drop birds photos/            # photos/robin/1.jpg, photos/sparrow/1.jpg, …",
                "drop birds more-photos.zip --wait",
                "drop letters scans/ --split-by first-folder",
            ],
            Arguments = { Dataset, Paths },
            Options = { SplitBy, Recipe, Wait },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var dataset = parse.GetRequiredValue(Dataset);
        CheckName(dataset);
        var plan = DropPlan.Make(parse.GetRequiredValue(Paths));
        var settings = await DropOff.Settings(parse.GetValue(SplitBy), parse.GetValue(Recipe), cancel);
        var wait = parse.GetValue(Wait);
        using var home = await OpenedHome.OpenOrCreate(parse.GetValue(SharedOptions.Home)!, cancel);
        if (wait) home.RequireRunning("prepare the drop");

        var dropped = await DropOff.Copy(home, dataset, plan, settings, skipUnchanged: false, screen.Live, cancel);
        if (wait) return await Follow(screen, home, dropped, cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject { ["dataset"] = dataset, ["files"] = dropped.Files, ["bytes"] = dropped.Bytes, ["running"] = home.IsRunning });
            return 0;
        }
        screen.Line($"Dropped {Show.Count(dropped.Files, "file")} ({Show.Bytes(dropped.Bytes)}) into {dataset}.");
        screen.Line(home.IsRunning
            ? $"The pipeline takes it from here. See: {home.Hint("datasets", "show", dataset)}"
            : $"No pipeline runs on {home.AsWritten}: the drop waits until it is started with: {home.Hint("up")}");
        return 0;
    }

    public static void CheckName(string dataset)
    {
        if (DatasetName.IsValid(dataset)) return;
        throw new CliException(
            $"'{Screen.Safe(dataset)}' cannot be a dataset's name: use 1 to 63 lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit, for example '{DropPlan.DatasetNameFor(dataset)}'.");
    }

    private static async Task<int> Follow(Screen screen, OpenedHome home, DroppedOff dropped, CancellationToken cancel)
    {
        var drop = await DropFollower.Follow(home, dropped.Probe, dropped.Files, screen.Live, cancel);
        var accepted = drop.State is "ready" or "unchanged";
        if (screen.IsJson)
        {
            var document = (JsonObject)DatasetText.ToJson(drop);
            var (refused, _) = await RefusedFiles.Read(home.Store, drop, cancel);
            document["refused"] = new JsonArray([.. refused.Select(file => new JsonObject { ["name"] = file.Name, ["reason"] = file.Reason })]);
            screen.Json(document);
            return accepted ? 0 : 1;
        }
        await Print(screen, home, drop, cancel);
        return accepted ? 0 : 1;
    }

    /// <summary>What became of a drop, with every reason for what was not taken.</summary>
    public static async Task Print(Screen screen, OpenedHome home, DropRow drop, CancellationToken cancel)
    {
        var version = drop.Version is { } number ? await home.Database.DatasetVersion(drop.Dataset, number, cancel) : null;
        if (version is null)
        {
            screen.Line($"{drop.Dataset}: {DatasetText.Describe(drop)}");
        }
        else
        {
            var counts = version.Manifest.Counts;
            screen.Line($"{drop.Dataset} v{version.Version}: {Show.Count(counts.Images, "image")} of {Show.Count(version.Classes, "class", "classes")}"
                + $" ({Show.Count(counts.Added)} new{Also(counts.Duplicates, "duplicate")}{Also(counts.NearDuplicates, "near-duplicate pair")}{Also(counts.Quarantined, "file")}{(counts.Quarantined > 0 ? " refused" : "")})");
            if (version.Manifest.Layout is not null) screen.Line($"  {version.Manifest.Split.Reason}");
            screen.Line($"  {string.Join("; ", DatasetText.Splits(version.Manifest).Select(s => $"{s.Split} {Show.Count(s.Classes, "class", "classes")}, {Show.Count(s.Images, "image")}"))}");
        }
        await RefusedFiles.Print(screen, home.Store, drop, cancel);
    }

    private static string Also(int count, string what) => count == 0 ? "" : $", {Show.Count(count, what)}";
}
