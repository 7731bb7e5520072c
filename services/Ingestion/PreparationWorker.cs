using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Ingestion;

/// <summary>Builds a dataset version from a settled drop. Killed and repeated, it writes the same objects again.</summary>
public sealed class PreparationWorker(Database database, IArtifactStore store, IOptions<IngestionOptions> options, ILogger<PreparationWorker> logger)
    : JobWorker(database, Kind, logger)
{
    public const string Kind = "prepare";

    protected override async Task Run(LeasedJob job, CancellationToken cancel)
    {
        var row = await Database.Drop(job.Subject, cancel) ?? throw new PermanentException($"There is no drop {job.Subject}.");
        if (!DatasetName.IsValid(row.Dataset))
            throw new PermanentException("The folder under inbox/ is no dataset name: use 1 to 63 lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit.");
        var objects = Database.Stream(
            "select key, etag, bytes, seen_at from inbox_objects where drop_id = @Id", new { row.Id },
            item => new StoredObject(item.GetString(0), item.GetInt64(2), item.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(item.GetInt64(3))), cancel);
        await TakeTurn(job, row.Dataset, cancel);
        var parent = (await Database.LatestDatasetVersion(row.Dataset, cancel))?.Manifest;

        DatasetBuildResult result;
        await using (var progress = new LatestReport<IngestionProgress>(report => Report(row.Id, report)))
            result = await DatasetBuilder.Build(
                store, new Drop(row.Id, row.Dataset, objects), parent, (parent?.Version ?? 0) + 1, options.Value, progress.Report, cancel);
        await Database.Write(async transaction =>
        {
            await transaction.Finish(job);
            if (result is DatasetBuildResult.Built built) await Accept(transaction, row, built);
            else await Decline(transaction, row, (DatasetBuildResult.Rejected)result, grows: parent is not null);
        }, cancel);
    }

    /// <summary>Two drops of one dataset are two versions, the second grown from the first: the build that began first ends first, wherever it runs.</summary>
    internal async Task TakeTurn(LeasedJob job, string dataset, CancellationToken cancel)
    {
        var mine = await Database.Write(transaction => transaction.Execute(
            """
            insert into dataset_builds (dataset, job_id) values (@dataset, @Id)
            on conflict (dataset) do update set job_id = excluded.job_id
            where dataset_builds.job_id = excluded.job_id or not exists (select 1 from jobs where id = dataset_builds.job_id and state = 'leased')
            """, new { dataset, job.Id }), cancel) == 1;
        if (!mine) throw new PostponedException(TimeSpan.FromSeconds(2), $"another drop of {dataset} is being prepared");
    }

    protected override async Task OnFailed(Transaction transaction, LeasedJob job, string error)
    {
        var row = (await transaction.QueryOne<DropRow>("select * from drops where id = @Subject", new { job.Subject }))!;
        await End(transaction, row, "rejected", version: null, error, outcome: null);
        await transaction.Publish(new DatasetRejected(row.Dataset, row.Id, error));
    }

    private Task Report(string dropId, IngestionProgress progress) =>
        Database.Write(transaction => transaction.Execute(
            "update drops set progress_json = @json where id = @dropId", new { dropId, json = JsonSerializer.Serialize(progress, ContractJson.Compact) }), CancellationToken.None);

    private async Task Accept(Transaction transaction, DropRow drop, DatasetBuildResult.Built built)
    {
        var manifest = built.Manifest;
        await transaction.Execute(
            """
            insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
            values (@Dataset, @Version, @Id, @manifestJson, @manifestRef, @Images, @classes, @now)
            """,
            new
            {
                drop.Dataset, manifest.Version, drop.Id, manifest.Counts.Images, classes = manifest.Classes.Count, now = Database.Now,
                manifestJson = JsonSerializer.Serialize(manifest, ContractJson.Compact), manifestRef = JsonSerializer.Serialize(built.ManifestRef, ContractJson.Compact),
            });
        await End(transaction, drop, "ready", manifest.Version, reason: null, built);
        await transaction.Publish(new DatasetReady(drop.Dataset, manifest.Version, built.ManifestRef, drop.Id));
        if (manifest.Layout is not null) logger.Recognised(drop.Id, drop.Dataset, manifest.Split.Reason);
        logger.Prepared(drop.Id, drop.Dataset, manifest.Version, manifest.Counts.Images, manifest.Counts.Quarantined);
    }

    private async Task Decline(Transaction transaction, DropRow drop, DatasetBuildResult.Rejected rejected, bool grows)
    {
        var state = rejected.NeedsMore ? "waiting" : grows && rejected.Counts is { Added: 0, Quarantined: 0 } ? "unchanged" : "rejected";
        await End(transaction, drop, state, version: null, rejected.Reason, rejected);
        await transaction.Publish(new DatasetRejected(drop.Dataset, drop.Id, rejected.Reason));
        logger.Rejected(drop.Id, drop.Dataset, rejected.Reason);
    }

    private static Task End(Transaction transaction, DropRow drop, string state, int? version, string? reason, DatasetBuildResult? outcome) =>
        transaction.Execute(
            "update drops set state = @state, version = @version, reason = @reason, outcome_json = @outcome, finished_at = @now where id = @Id",
            new
            {
                drop.Id, state, version, reason, now = Database.Now,
                outcome = outcome is null ? null : JsonSerializer.Serialize(new DropOutcome(outcome.Counts, outcome.Quarantine), ContractJson.Compact),
            });
}

/// <summary>What became of a drop's files: the form of a drop row's <c>outcome_json</c>.</summary>
/// <param name="Counts">Files looked at, added, refused.</param>
/// <param name="Quarantine">The list of refused files with their reasons, when there are any.</param>
public sealed record DropOutcome(DropCounts Counts, ArtifactRef? Quarantine);
