using System.Text.Json;
using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Demo;

/// <summary>
/// Puts the demo's images into the inbox, once: a demo that was interrupted or killed finds what it dropped before and goes on with it.
/// It runs before the pipeline starts, so that no half-copied drop is ever seen.
/// </summary>
internal static class DemoDrop
{
    private sealed record Remembered(string Fingerprint, int Files, StoredObject Probe);

    public static async Task<DroppedOff> Copy(
        OpenedHome home, string dataset, IReadOnlyList<PlannedObject> plan, string? settings, LiveLine live, CancellationToken cancel)
    {
        var memory = Path.Combine(home.Home.Path, "demo", dataset + ".json");
        var fingerprint = DemoSource.Fingerprint(plan, settings);
        if (Read(memory) is { } before && before.Fingerprint == fingerprint && !await WasTurnedAway(home, before.Probe, cancel))
            return new DroppedOff(before.Files, Bytes: 0, before.Probe);

        var dropped = await DropOff.Copy(home, dataset, plan, settings, skipUnchanged: true, live, cancel);
        Directory.CreateDirectory(Path.GetDirectoryName(memory)!);
        var partial = memory + ".partial";
        await File.WriteAllTextAsync(partial, JsonSerializer.Serialize(new Remembered(fingerprint, dropped.Files, dropped.Probe), ContractJson.Indented), cancel);
        File.Move(partial, memory, overwrite: true);
        return dropped;
    }

    /// <summary>What was turned away is dropped again: perhaps another version of the program accepts it.</summary>
    private static async Task<bool> WasTurnedAway(OpenedHome home, StoredObject probe, CancellationToken cancel) =>
        await home.Database.QueryOne<string>(
            "select d.state from drops d join inbox_objects o on o.drop_id = d.id where o.key = @Key and o.etag = @ETag", new { probe.Key, probe.ETag }, cancel)
            is "rejected" or "waiting";

    private static Remembered? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<Remembered>(File.ReadAllText(path), ContractJson.Compact) : null;
        }
        catch (JsonException)
        {
            // Written by another version: the images are dropped again, which changes nothing where they are known.
            return null;
        }
    }
}
