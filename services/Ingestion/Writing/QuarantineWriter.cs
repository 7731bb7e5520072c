using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Writing;

/// <summary>
/// Writes <c>quarantine/&lt;dataset&gt;/&lt;drop&gt;/reason.json</c> and, as <c>files/&lt;n&gt;</c>, what may be kept of the refused files.
/// Nothing there bears a dropped name.
/// </summary>
internal static class QuarantineWriter
{
    private const string Schema = "dmlpipeline.quarantine/1";

    private sealed record Reasons(string Schema, string Dataset, string DropId, int Count, int Unlisted, IReadOnlyList<QuarantinedFile> Files);

    public static async Task<(IReadOnlyList<QuarantinedFile> Files, ArtifactRef? Reasons)> Write(
        IArtifactStore store, Drop drop, RefusalTable refusals, ScratchDatabase scratch, Spool spool, IngestionOptions options, CancellationToken cancel)
    {
        if (refusals.Count == 0) return ([], null);

        var folder = Folder(drop);
        scratch.Execute("create table kept (digest blob primary key, number integer not null) without rowid");
        var (find, keep) = (scratch.Prepare("select number from kept where digest = $1"), scratch.Prepare("insert into kept values ($1, $2)"));
        var files = new List<QuarantinedFile>();
        long kept = 0;
        var copies = 0;
        foreach (var refusal in refusals.InOrder())
        {
            string? key = null;
            if (refusal.Content is { SpoolOffset: >= 0, Bytes: > 0 } content)
            {
                var digest = content.Digest.ToBytes();
                if (find.Value(digest) is long earlier) key = $"{folder}/files/{earlier}";
                else if (refusal.Sound || kept + content.Bytes <= options.QuarantineBytes)
                {
                    if (!refusal.Sound) kept += content.Bytes;
                    key = $"{folder}/files/{++copies}";
                    keep.Run(digest, copies);
                    using var bytes = new MemoryStream(spool.Read(content.SpoolOffset, content.Bytes));
                    await store.Put(key, bytes, cancel);
                }
            }
            if (files.Count < options.MaxQuarantineEntries)
                files.Add(new QuarantinedFile(refusal.Name, refusal.Reason, refusal.Class, refusal.Content?.Digest.ToString(), refusal.Content?.Bytes ?? refusal.Bytes, key));
        }
        var reasons = new Reasons(Schema, drop.Dataset, drop.DropId, refusals.Count, refusals.Count - files.Count, files);
        using var json = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(reasons, ContractJson.Indented));
        return (files, await store.Put($"{folder}/reason.json", json, cancel));
    }

    /// <summary>Reads the list back, for a build that is asked for again after it was done.</summary>
    public static async Task<IReadOnlyList<QuarantinedFile>> Read(IArtifactStore store, ArtifactRef? reasons, CancellationToken cancel)
    {
        if (reasons is null) return [];
        await using var stream = await store.OpenRead(reasons.Key, cancel);
        return (await JsonSerializer.DeserializeAsync<Reasons>(stream, ContractJson.Compact, cancel))!.Files;
    }

    private static string Folder(Drop drop) => $"quarantine/{drop.Dataset}/{drop.DropId}";
}
