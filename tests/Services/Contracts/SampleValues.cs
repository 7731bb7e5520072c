using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Tests.Services.Contracts;

/// <summary>One value of each contract with every optional member set: what the checked-in samples say.</summary>
internal static class SampleValues
{
    private static readonly string Sha = new('a', 64);
    private static readonly Dictionary<string, double> Metrics = new(StringComparer.Ordinal) { ["recall@1"] = 0.9125, ["map@r"] = 0.1 };
    private static readonly ArtifactRef Artifact = new("runs/birds-v3/evaluation.json", Sha, 5_000_000_000);
    private static readonly ChampionOnSameSplit Champion = new(2, Metrics);
    private static readonly DroppedObject Object = new("inbox/birds/Kea & Kākā/<1>.jpg", "1f-2e", 31);

    public static IReadOnlyDictionary<string, object> All { get; } = new object[]
    {
        Artifact,
        Champion,
        Object,
        new DatasetReady("birds", 3, Artifact, "d-1"),
        new DatasetRejected("birds", "d-1", "it holds no image"),
        new ModelEvaluated("birds-v3", "birds", 3, Artifact, Metrics, Champion, Artifact),
        new ModelPromoted("birds", 3, "champion", 2, "birds-v3", "map@r 0.2 beats 0.1", "promoted", "gate"),
        new ModelRegistered("birds", 3, "birds-v3", Metrics),
        new ModelTrained("birds-v3", "birds", 3, Artifact, Artifact),
        new ObjectDropped("birds", [Object]),
        new PrepareDataset("d-1", "birds"),
        new PromotionRefused("birds", 3, "champion", 2, "birds-v3", "map@r 0.1 does not beat 0.1"),
        new PromotionWaiting("birds", 3, "champion", 2, "birds-v3", "it waits for approval"),
        new ScheduleFired("birds-nightly", new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), "birds", 3, "circle", Force: false, "its time came"),
        new TrainModel("birds-v3", "birds", 3, "{\"epochs\":20}", "new-data", "the first version", "high"),
        new TrainingCancelled("birds-v3", "birds", 3, "runs/birds-v3/checkpoint.safetensors"),
        new TrainingFailed("birds-v3", "birds", 3, "the loss is not finite"),
        new TrainingProgressed("birds-v3", 2, 1_000, 0.25, 1.5, 0.75, 812.5, 60),
        Manifest(),
        new DatasetSample(Sha, "kea", "kea/1.jpg", 0, 512, 31, 640, 480, "jpeg", "00ff00ff00ff00ff", RoleNames.Gallery, 3),
    }.ToDictionary(value => value.GetType().Name, StringComparer.Ordinal);

    public static DatasetManifest Manifest() => new()
    {
        Dataset = "birds",
        Version = 3,
        Parent = 2,
        CreatedAt = new DateTimeOffset(2026, 1, 31, 12, 30, 0, TimeSpan.Zero),
        DropId = "d-1",
        ContentHash = Sha,
        Split = new DatasetSplit("class", "there are no folders above the classes", 0.15, 0.25),
        Layout = "cub200",
        Classes = [new DatasetClass("kea", "kea", SplitNames.Train, 40), new DatasetClass("kākā", "kākā", SplitNames.Test, 20)],
        Counts = new DatasetCounts(60, 20, 3, 1, 2),
        Facts = new DatasetFacts(0.05, 640, 480, DarkOnLight: true),
        Samples = new ArtifactRef("datasets/birds/v3/samples.jsonl", Sha, 9_000),
        Shards = [new DatasetShard("datasets/birds/v3/shards/000.tar", Sha, 1_000_000, 60)],
        NearDuplicates = new ArtifactRef("datasets/birds/v3/near-duplicates.jsonl", Sha, 100),
        Quarantine = new ArtifactRef("quarantine/birds/d-1/refused.jsonl", Sha, 200),
        Recipe = "fine-grained",
    };
}
