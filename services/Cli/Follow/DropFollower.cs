using System.Text.Json;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Follow;

/// <summary>Follows what was dropped until it has become a version or has been turned away.</summary>
internal static class DropFollower
{
    public static async Task<DropRow> Follow(OpenedHome home, StoredObject probe, int files, LiveLine live, CancellationToken cancel)
    {
        while (true)
        {
            var drop = await home.Database.QueryOne<DropRow>(
                "select d.* from drops d join inbox_objects o on o.drop_id = d.id where o.key = @Key and o.etag = @ETag", new { probe.Key, probe.ETag }, cancel);
            if (drop is { State: not "settled" })
            {
                live.Clear();
                return drop;
            }
            live.Update(Describe(drop, files));
            home.RequireRunning("prepare the drop");
            await Task.Delay(Pace.Between, cancel);
        }
    }

    private static string Describe(DropRow? drop, int files)
    {
        if (drop is null) return $"dropped    {Show.Count(files, "file")}, waiting for the drop to settle";
        if (drop.ProgressJson is null) return $"preparing  {Show.Count(drop.Objects, "object")}";
        var progress = JsonSerializer.Deserialize<IngestionProgress>(drop.ProgressJson, ContractJson.Compact)!;
        var refused = progress.Refused > 0 ? $", {Show.Count(progress.Refused)} refused" : "";
        return progress.Step == "writing" ? $"writing    {Show.Count(progress.Done, "image")}{refused}" : $"reading    {Show.Count(progress.Done, "file")}{refused}";
    }
}

internal static class Pace
{
    /// <summary>Between two looks at the state.</summary>
    public static readonly TimeSpan Between = TimeSpan.FromMilliseconds(300);
}
