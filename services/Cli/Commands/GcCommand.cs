using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.Care;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml gc</c>: deletes what nothing leads to any more.</summary>
internal static class GcCommand
{
    private const int MostShown = 20;

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only tell what would be deleted, and why" };

    public static Command Create()
    {
        var command = new DocumentedCommand("gc", "Delete stored objects that no dataset, run or model leads to, and checkpoints of runs that ended long ago")
        {
            Examples = ["gc --dry-run", "gc", "gc --keep-checkpoints 7 --keep-last 3 --json", "gc --settings dml.yaml"],
            Details =
                """
                Left over are shards of builds that died, files of model versions that were never registered, and folders of runs
                that do not exist. What is younger than a day stays: it may belong to work under way. The inbox is never touched.
                It can run beside a running pipeline, and be repeated. Of a pipeline of many processes: give it the store and the database that
                they are given, as flags, in the environment or in a settings file; its key must be allowed to delete.
                """,
            Options = { DryRun },
        };
        foreach (var flag in SettingSources.FlagsOf([.. Settings.OfCare, .. Settings.OfPlaces])) command.Options.Add(flag);
        command.SetAction(Collect);
        return command;
    }

    private static async Task<int> Collect(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var keep = Retention(parse);
        using var home = await OpenedHome.Open(parse, cancel);
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

    private static CheckpointRetention Retention(ParseResult parse)
    {
        var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
        return new CheckpointRetention(TimeSpan.FromDays(sources.Number(Settings.KeepCheckpoints, from: 0, to: 100_000)), sources.Number(Settings.KeepLast, from: 0, to: int.MaxValue));
    }
}
