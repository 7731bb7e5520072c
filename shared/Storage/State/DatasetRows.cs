using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Storage.State;

/// <summary>A drop: the objects that settled together, and what became of them.</summary>
public sealed record DropRow
{
    public required string Id { get; init; }
    public required string Dataset { get; init; }

    /// <summary>
    /// <c>settled</c>, then <c>ready</c>, <c>unchanged</c> (nothing new), <c>rejected</c>, or <c>waiting</c> (too little yet: built together
    /// with the next drop, into which it is <c>merged</c>).
    /// </summary>
    public required string State { get; init; }

    public required int Objects { get; init; }
    public required long Bytes { get; init; }
    public int? Version { get; init; }
    public string? Reason { get; init; }
    public string? ProgressJson { get; init; }

    /// <summary>Counts, and where the list of refused files is.</summary>
    public string? OutcomeJson { get; init; }

    public required long CreatedAt { get; init; }
    public long? FinishedAt { get; init; }
}

public sealed record DatasetVersionRow
{
    public required string Dataset { get; init; }
    public required int Version { get; init; }
    public required string DropId { get; init; }
    public required string ManifestJson { get; init; }

    /// <summary>An <see cref="ArtifactRef"/> of the manifest in the store.</summary>
    public required string ManifestRefJson { get; init; }

    public required int Images { get; init; }
    public required int Classes { get; init; }
    public required long CreatedAt { get; init; }

    public DatasetManifest Manifest => JsonSerializer.Deserialize<DatasetManifest>(ManifestJson, ContractJson.Compact)!;
}

public static class DatasetRows
{
    // Parameters of one statement are limited, to 32,766 in SQLite.
    private const int RememberedTogether = 1000;

    /// <summary>Remembers objects of the inbox until their drop settles; the same object, seen twice, is one row.</summary>
    public static async Task RememberObjects(this Transaction transaction, string dataset, IEnumerable<(string Key, string ETag, long Bytes)> objects)
    {
        // A statement for each of a million objects would be a million answers to wait for.
        foreach (var some in objects.Chunk(RememberedTogether))
        {
            var arguments = new Dictionary<string, object>(StringComparer.Ordinal) { ["dataset"] = dataset, ["now"] = Database.Now };
            for (var i = 0; i < some.Length; i++) (arguments[$"key{i}"], arguments[$"etag{i}"], arguments[$"bytes{i}"]) = some[i];
            var rows = string.Join(", ", Enumerable.Range(0, some.Length).Select(i => $"(@key{i}, @etag{i}, @dataset, @bytes{i}, @now)"));
            await transaction.Execute($"insert into inbox_objects (key, etag, dataset, bytes, seen_at) values {rows} on conflict do nothing", arguments);
        }
    }

    public static async Task<IReadOnlyList<DatasetVersionRow>> DatasetVersions(this Database database, string? dataset, CancellationToken cancel) =>
        [.. await database.Query<DatasetVersionRow>(
            $"select * from dataset_versions {(dataset is null ? "" : "where dataset = @dataset")} order by dataset, version", new { dataset }, cancel)];

    public static Task<DatasetVersionRow?> LatestDatasetVersion(this Database database, string dataset, CancellationToken cancel) =>
        database.QueryOne<DatasetVersionRow>("select * from dataset_versions where dataset = @dataset order by version desc limit 1", new { dataset }, cancel);

    public static Task<DatasetVersionRow?> DatasetVersion(this Database database, string dataset, int version, CancellationToken cancel) =>
        database.QueryOne<DatasetVersionRow>("select * from dataset_versions where dataset = @dataset and version = @version", new { dataset, version }, cancel);

    public static async Task<IReadOnlyList<DropRow>> Drops(this Database database, string? dataset, CancellationToken cancel) =>
        [.. await database.Query<DropRow>($"select * from drops {(dataset is null ? "" : "where dataset = @dataset")} order by created_at, id", new { dataset }, cancel)];

    public static Task<DropRow?> Drop(this Database database, string id, CancellationToken cancel) =>
        database.QueryOne<DropRow>("select * from drops where id = @id", new { id }, cancel);
}
