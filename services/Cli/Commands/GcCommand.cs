using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.Care;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml gc</c>: deletes what nothing leads to any more.</summary>
internal static class GcCommand
{
    private const int MostShown = 20;

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only tell what would be deleted, and why" };

    private static readonly Option<int> Days = new("--keep-checkpoints")
    {
        Description = "Days for which an ended run keeps the checkpoint that it could be resumed from",
        HelpName = "DAYS",
        DefaultValueFactory = _ => 30,
    };

    public static Command Create()
    {
        var command = new DocumentedCommand("gc", "Delete stored objects that no dataset, run or model leads to, and checkpoints of runs that ended long ago")
        {
            Examples = ["gc --dry-run", "gc", "gc --keep-checkpoints 7 --json"],
            Details =
                """
                Left over are shards of builds that died, files of model versions that were never registered, and folders of runs
                that do not exist. What is younger than a day stays: it may belong to work under way. The inbox is never touched.
                It can run beside a running pipeline, and be repeated.
                """,
            Options = { DryRun, Days },
        };
        command.SetAction(Collect);
        return command;
    }

    private static async Task<int> Collect(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var days = parse.GetValue(Days);
        if (days < 0) throw new CliException("--keep-checkpoints takes a number of days, 0 or more.");
        using var home = await OpenedHome.Open(parse, cancel);
        var keep = TimeSpan.FromDays(days);
        var garbage = await GarbageCollection.Find(home.Database, home.Store, GarbageCollection.DefaultAge, keep, cancel);
        var dryRun = parse.GetValue(DryRun);
        var (objects, bytes) = dryRun
            ? (garbage.Count, garbage.Sum(item => item.Bytes))
            : await GarbageCollection.Delete(
                home.Database, home.Store, garbage, GarbageCollection.DefaultAge, keep, done => screen.Live.Update($"deleting  {Show.Count(done)} of {Show.Count(garbage.Count, "object")}"), cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject { ["dryRun"] = dryRun, ["objects"] = objects, ["bytes"] = bytes, ["garbage"] = Screen.ToJson(garbage) });
            return 0;
        }
        if (garbage.Count == 0)
        {
            screen.Line("Nothing to delete: everything in the store is needed, or younger than a day.");
            return 0;
        }
        screen.Table(["object", ">size", "why"], garbage.Take(MostShown).Select(item => (string[])[item.Key, Show.Bytes(item.Bytes), item.Reason]));
        if (garbage.Count > MostShown) screen.Line($"  and {Show.Count(garbage.Count - MostShown)} more; --json lists all");
        screen.Line();
        screen.Line(dryRun ? $"{Show.Count(objects, "object")}, {Show.Bytes(bytes)}, would be deleted. Do it with: {home.Hint("gc")}" : $"{Show.Count(objects, "object")} deleted, {Show.Bytes(bytes)} free.");
        return 0;
    }
}
