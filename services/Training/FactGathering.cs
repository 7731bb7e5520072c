using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Training;

/// <summary>Reads from the state what the retraining policy looks at.</summary>
internal static class FactGathering
{
    /// <summary>The policy that the dataset's owner declared, or else the pipeline's.</summary>
    public static async Task<PolicySettings> Policy(this Transaction transaction, string dataset, PolicySettings otherwise) =>
        await transaction.QueryOne<string>("select policy_json from retraining_policies where dataset = @dataset", new { dataset }) is { } json ? PolicySettings.Parse(json) : otherwise;

    /// <exception cref="PermanentException">There is no such version.</exception>
    public static async Task<(RetrainingFacts Facts, DatasetVersionRow Version)> Gather(this Transaction transaction, DecisionRow decision, bool forced, DateTimeOffset now)
    {
        var latest = await transaction.QueryOne<int?>("select max(version) from dataset_versions where dataset = @Dataset", new { decision.Dataset });
        // A fire that was asked for some time ago is about what there is now.
        var version = await Version(transaction, decision.Dataset, decision.IsScheduled ? latest : decision.Version)
            ?? throw new PermanentException($"There is no dataset {decision.Dataset} v{decision.Version}.");
        var trained = await transaction.QueryOne<(int? Version, long? At)>(
            "select max(dataset_version), max(created_at) from runs where dataset = @Dataset and state not in ('failed', 'cancelled')", new { decision.Dataset });
        // Only those: each manifest names all its classes, and there may be a version for every night of years.
        var unseen = await transaction.Query<DatasetVersionRow>(
            "select * from dataset_versions where dataset = @Dataset and version > @trained and version <= @Version", new { decision.Dataset, trained = trained.Version ?? 0, version.Version });
        var manifest = version.Manifest;
        var known = (await Version(transaction, decision.Dataset, trained.Version))?.Manifest.Classes.Select(c => c.Name).ToHashSet(StringComparer.Ordinal) ?? [];
        return (new RetrainingFacts
        {
            Now = now,
            Scheduled = decision.IsScheduled,
            Forced = forced,
            Version = version.Version,
            Latest = latest ?? version.Version,
            VersionAt = DateTimeOffset.FromUnixTimeMilliseconds(version.CreatedAt),
            WaitingSince = DateTimeOffset.FromUnixTimeMilliseconds(await WaitingSince(transaction, version) ?? version.CreatedAt),
            Images = version.Images,
            TrainedVersion = trained.Version,
            TrainedAt = trained.At is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            NewImages = unseen.Sum(row => row.Manifest.Counts.Added),
            NewClasses = trained.Version is null ? manifest.Classes.Count : manifest.Classes.Count(c => !known.Contains(c.Name)),
            Champion = await transaction.QueryOne<int?>("select version from aliases where model = @Dataset and alias = 'champion'", new { decision.Dataset }),
        }, version);
    }

    private static Task<DatasetVersionRow?> Version(Transaction transaction, string dataset, int? version) =>
        transaction.QueryOne<DatasetVersionRow>("select * from dataset_versions where dataset = @dataset and version = @version", new { dataset, version });

    private static Task<long?> WaitingSince(Transaction transaction, DatasetVersionRow version) =>
        transaction.QueryOne<long?>(
            """
            select min(v.created_at) from dataset_versions v join training_decisions d on d.dataset = v.dataset and d.version = v.version
            where v.dataset = @Dataset and v.version <= @Version and d.cause = 'new-data' and d.state = 'waiting'
            """, new { version.Dataset, version.Version });
}
