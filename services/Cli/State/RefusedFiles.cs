using System.Text.Json;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>The files of a drop that were refused, and why.</summary>
internal static class RefusedFiles
{
    private const int MostShown = 10;

    private sealed record Reasons(int Count, IReadOnlyList<QuarantinedFile> Files);

    /// <summary>Reads the list that ingestion wrote; empty when nothing was refused.</summary>
    public static async Task<(IReadOnlyList<QuarantinedFile> Files, int Count)> Read(IArtifactStore store, DropRow drop, CancellationToken cancel)
    {
        if (DatasetText.Outcome(drop)?.Quarantine is not { } reference) return ([], 0);
        await using var stream = await store.OpenRead(reference.Key, cancel);
        var reasons = (await JsonSerializer.DeserializeAsync<Reasons>(stream, ContractJson.Compact, cancel))!;
        return (reasons.Files, reasons.Count);
    }

    public static async Task Print(Screen screen, IArtifactStore store, DropRow drop, CancellationToken cancel)
    {
        var (files, count) = await Read(store, drop, cancel);
        // Of a drop that was turned away, the reason names the first refused file already.
        if (count > 1 || drop.Version is not null) Print(screen, files, count);
        if (count > MostShown) screen.Line($"  all of them: {await store.LocalFile(DatasetText.Outcome(drop)!.Quarantine!.Key, cancel)}");
    }

    public static void Print(Screen screen, IReadOnlyList<QuarantinedFile> files, int count)
    {
        foreach (var file in files.Take(MostShown)) screen.Line($"  {Screen.Safe(file.Name)}: {Screen.Safe(file.Reason)}");
        if (count > MostShown) screen.Line($"  … and {Show.Count(count - MostShown)} more");
    }
}
