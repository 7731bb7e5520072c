using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Registry;
using DmlPipeline.Registry.Promotion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Contracts;
using DmlPipeline.Tests.Services.Hosting;
using DmlPipeline.Tests.Services.Storage;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>A registry on a real database and folder, and runs that training and evaluation have left for it.</summary>
internal sealed class RegistryFixture : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private Database beforeStart = null!;
    private string? gateFile;
    private TestHost? host;

    private RegistryFixture() => Store = folder.OpenStore();

    public Database Database => host?.Database ?? beforeStart;

    public FolderStore Store { get; }

    public static async Task<RegistryFixture> Create()
    {
        var fixture = new RegistryFixture();
        fixture.beforeStart = await fixture.folder.OpenDatabase();
        foreach (var version in new[] { 1, 2 })
            await fixture.Database.Write(transaction => transaction.Execute(
                """
                insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
                values ('birds', @version, @drop, @manifest, '{}', 0, 0, 0)
                """,
                new { version, drop = $"d-{version}", manifest = JsonSerializer.Serialize(SampleValues.Manifest() with { Version = version }, ContractJson.Compact) }), default);
        return fixture;
    }

    public PromotionDesk Desk => new(Database, Store);

    /// <summary>The rule of promotion from now on.</summary>
    public void Rule(string yaml) => File.WriteAllText(gateFile = Path.Combine(folder.Path, "gate.yaml"), yaml);

    public async Task Start() => host = await TestHost.Start(folder, RegistryService.AddConsumers, services =>
    {
        services.AddSingleton<IArtifactStore>(Store);
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.Configure<RegistryOptions>(options => options.GateFile = gateFile);
        services.AddRegistry();
    });

    /// <summary>Stores what an evaluated run stores, and says so to the registry unless told otherwise.</summary>
    public async Task<ModelEvaluated> Evaluate(string run, double score, ChampionOnSameSplit? champion = null, int datasetVersion = 1, bool publish = true)
    {
        var weights = await Put($"runs/{run}/model.safetensors", $"weights of {run}");
        var model = await Put($"runs/{run}/model.json", """{"recipe":{"epochs":1},"lineage":{"seed":1}}""");
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal) { ["map@r"] = score, ["recall@1"] = score + 0.1 };
        var evaluation = await Put(
            $"runs/{run}/evaluation.json", JsonSerializer.Serialize(new { metrics, champion, datasetVersion }, ContractJson.Compact));
        var comparison = await Put(
            $"runs/{run}/comparison.json", JsonSerializer.Serialize(Compared(score, champion, datasetVersion), ContractJson.Compact));
        var evaluated = new ModelEvaluated(run, "birds", datasetVersion, evaluation, metrics, champion, comparison);
        await Database.Write(async transaction =>
        {
            if (await transaction.QueryOne<int>("select count(*) from runs where id = @run", new { run }) == 0)
            {
                await RunSamples.Insert(transaction, run, "trained", "birds", datasetVersion);
                await transaction.Enqueue("evaluate", run);
            }
            await transaction.Execute("update jobs set state = 'done' where kind = 'evaluate' and subject = @run", new { run });
            await transaction.Execute(
                "update runs set state = 'evaluated', trained_json = @trained, evaluated_json = @evaluated, finished_at = 1 where id = @run",
                new
                {
                    run,
                    trained = JsonSerializer.Serialize(new ModelTrained(run, "birds", datasetVersion, weights, model), ContractJson.Compact),
                    evaluated = JsonSerializer.Serialize(evaluated, ContractJson.Compact),
                });
            if (publish) await transaction.Publish(evaluated);
        }, default);
        return evaluated;
    }

    /// <summary>Two hundred queries of twenty classes, every one of which scores the same: a difference is certain.</summary>
    private static ModelComparison Compared(double score, ChampionOnSameSplit? champion, int datasetVersion)
    {
        int[] labels = [.. Enumerable.Range(0, 200).Select(query => query % 20)];
        return new ModelComparison
        {
            Champion = champion?.Version,
            Splits = [new ComparedSplit(SplitKinds.Current, datasetVersion, [.. Enumerable.Range(0, 20).Select(label => $"class{label}")], labels, Values(score), champion is null ? null : Values(champion.Metrics["map@r"]))],
            ChallengerCost = new ModelCost(16_000_000, 128, 2, "cpu"), ChampionCost = champion is null ? null : new ModelCost(8_000_000, 64, 1, "cpu"),
            Checks = [new NamedCheck("beats-untrained", Passed: true, "map@r 0.5, untrained 0.1")],
        };

        Dictionary<string, IReadOnlyList<double>> Values(double each) => new(StringComparer.Ordinal) { ["map@r"] = [.. labels.Select(_ => each)] };
    }

    /// <summary>Evaluates a run and waits for the end of its registration.</summary>
    public async Task<RunRow> Register(string run, double score, ChampionOnSameSplit? champion = null, int datasetVersion = 1)
    {
        await Evaluate(run, score, champion, datasetVersion);
        return await Settled(run);
    }

    public async Task<RunRow> Settled(string run)
    {
        await Eventually.Holds(async () => (await Database.Run(run, default))!.State != "evaluated", $"{run} was answered");
        return (await Database.Run(run, default))!;
    }

    public Task Publish(ModelEvaluated evaluated) => Database.Write(transaction => transaction.Publish(evaluated), default);

    public Task Deliver(ModelEvaluated evaluated, Guid messageId) => host!.Bus.Publish(evaluated, context => context.MessageId = messageId);

    public async Task<int?> Champion() =>
        (await Database.ModelVersion("birds", AliasNames.Champion, default))?.Version;

    public async Task<IReadOnlyList<ModelVersionRow>> Versions() => await Database.ModelVersions("birds", [], bestBy: null, 100, 0, default);

    public async Task<IReadOnlyList<string>> Messages(string type) =>
        [.. await Database.Query<string>("select body_json from outbox where type = @type order by id", new { type }, default)];

    public async Task<JsonObject> Document(int version)
    {
        await using var stream = await Store.OpenRead($"models/birds/v{version}/model.json", default);
        return (JsonObject)(await JsonNode.ParseAsync(stream))!;
    }

    public Task<ArtifactRef> Put(string key, string text) => Store.Put(key, new MemoryStream(Encoding.UTF8.GetBytes(text)), default);

    public async Task<string> Text(string key) => await File.ReadAllTextAsync(await Store.LocalFile(key, default));

    public async ValueTask DisposeAsync()
    {
        if (host is not null) await host.DisposeAsync();
        beforeStart.Dispose();
        folder.Dispose();
    }
}
