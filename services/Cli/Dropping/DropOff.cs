using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Ingestion;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Dropping;

/// <summary>What was put into the inbox. <paramref name="Probe"/>, an object of it, tells later to which drop it belongs.</summary>
internal sealed record DroppedOff(int Files, long Bytes, StoredObject Probe);

/// <summary>Copies files into the inbox of a dataset.</summary>
internal static class DropOff
{
    /// <param name="home">Whose inbox.</param>
    /// <param name="dataset">A valid name.</param>
    /// <param name="plan">What is copied.</param>
    /// <param name="settings">Text of a dataset.yaml, or null.</param>
    /// <param name="skipUnchanged">Leave alone what lies in the inbox already with the same content, so that it does not count as new.</param>
    /// <param name="live">For progress.</param>
    /// <param name="cancel">Stops between files.</param>
    public static async Task<DroppedOff> Copy(
        OpenedHome home, string dataset, IReadOnlyList<PlannedObject> plan, string? settings, bool skipUnchanged, LiveLine live, CancellationToken cancel)
    {
        // Without the hold, a file that takes longer to copy than drops take to settle would end the drop before its time.
        await using var hold = await InboxHold.Take(home.Database, dataset, cancel);
        var prefix = Drop.Prefix(dataset);
        var changed = false;
        if (settings is not null)
        {
            if (plan.Any(planned => planned.Key is "dataset.yaml" or "dataset.yml"))
                throw new CliException("The folder has a dataset.yaml of its own: write the options into it, or leave them out here.");
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(settings));
            await Put(prefix + "dataset.yaml", text);
        }
        var (files, bytes, total) = (0, 0L, plan.Sum(planned => planned.Bytes));
        foreach (var planned in plan)
        {
            live.Update($"copying    {Show.Bar(total == 0 ? 1 : (double)bytes / total)} {Show.Count(files)} of {Show.Count(plan.Count, "file")}, {Show.Bytes(bytes)} of {Show.Bytes(total)}");
            await using var source = File.OpenRead(planned.Source);
            await Put(prefix + planned.Key, source);
            bytes += planned.Bytes;
            files++;
        }
        live.Clear();
        var probe = await home.Store.Find(prefix + plan[^1].Key, cancel) ?? throw new CliException($"{prefix}{plan[^1].Key} vanished from the inbox while the rest was copied. Drop again.");
        if (changed)
        {
            // The mark ends the wait for more files at once. Its content is new each time, or a second drop's mark would count as seen.
            using var mark = new MemoryStream(Encoding.UTF8.GetBytes($"{DateTimeOffset.UtcNow:O} {Guid.NewGuid()}\n"));
            await home.Store.Put(prefix + DropSettler.Ready, mark, cancel);
        }
        return new DroppedOff(files, bytes, probe);

        async Task Put(string key, Stream content)
        {
            if (skipUnchanged && await IsThere(home.Store, key, content, cancel)) return;
            await home.Store.Put(key, content, cancel);
            changed = true;
        }
    }

    private static async Task<bool> IsThere(IArtifactStore store, string key, Stream content, CancellationToken cancel)
    {
        if (await store.Find(key, cancel) is not { } item || item.Bytes != content.Length) return false;
        await using var there = await store.OpenRead(key, cancel);
        var (stored, offered) = (await SHA256.HashDataAsync(there, cancel), await SHA256.HashDataAsync(content, cancel));
        content.Position = 0;
        return stored.AsSpan().SequenceEqual(offered);
    }

    /// <summary>The text of a <c>dataset.yaml</c>, or null when nothing is asked for.</summary>
    /// <exception cref="RecipeException">The recipe is wrong.</exception>
    public static async Task<string?> Settings(string? splitBy, string? recipe, CancellationToken cancel)
    {
        var lines = new List<string>();
        if (splitBy is not null) lines.Add($"split_by: {splitBy}");
        if (recipe is not null)
        {
            var source = await RecipeSource.Read(recipe, cancel);
            // JSON on one line is YAML too.
            lines.Add($"recipe: {(source.IsBuiltIn ? source.Text : RecipeFile.ToCanonicalJson(source.Parse()))}");
        }
        return lines.Count == 0 ? null : string.Join('\n', lines) + "\n";
    }
}
