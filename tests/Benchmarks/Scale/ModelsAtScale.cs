using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Registry;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Care;
using DmlPipeline.Storage.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Benchmarks.Scale;

/// <summary>A registry that is told of thousands of evaluated runs, half of them of one model; and what it takes to ask it, with a tenth of them and with all.</summary>
internal sealed class ModelsAtScale(Database database, IArtifactStore store)
{
    private const string Main = "birds";
    private const int Others = 50, Together = 100, Repeats = 5;

    // Latencies and sizes are no metrics of a version; these are what an evaluation has.
    private static readonly string[] Metrics =
        ["recall@1", "recall@2", "recall@4", "recall@8", "precision@1", "r-precision", "map@r", "map", "mrr", "nmi", "ami", "purity", "f1"];

    private static readonly string[] Requests =
    [
        "/api/models", $"/api/models/{Main}", $"/api/models/{Main}/champion", $"/api/models/{Main}/latest", $"/api/models/{Main}?filter=map@r>=0.7,recall@1<0.8&best=map@r",
        "/api/versions?filter=map@r>=0.799", "/api/versions?best=map@r", $"/api/models/{Main}/history", $"/api/models/{Main}/7/gate", "/api/troubles",
    ];

    public async Task Run(int models)
    {
        await using var app = Host();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var parts = await Prepare();
        var few = models / 10;
        var first = await Register(parts, 0, few);
        var fewTimes = await Ask(client);
        await Register(parts, few, models - few);
        var last = await Register(parts, models - few, models);
        Footprint.Print($"  registered: the first {few:N0} at {first:F1} ms of CPU each, the last {few:N0} of {models:N0} at {last:F1}; {Footprint.Megabytes:N0} MiB resident");
        var allTimes = await Ask(client);
        await app.StopAsync();

        Footprint.Print($"  {"",-62}{$"{few:N0} versions",20}{$"{models:N0} versions",30}");
        foreach (var (what, (milliseconds, _)) in fewTimes)
            Footprint.Print($"  {what,-62}{milliseconds,17:F1} ms{allTimes[what].Milliseconds,17:F1} ms{allTimes[what].Answer,12:N0}");
    }

    /// <summary>What every run has stored; runs of the same content share it, as only the copies that registration makes count here.</summary>
    private sealed record Parts(ArtifactRef Weights, ArtifactRef Model, ArtifactRef Evaluation, ArtifactRef Comparison);

    private async Task<Parts> Prepare()
    {
        var recipe = RecipeFile.ToCanonicalJson(DatasetDefaults.Resolve(RecipeFile.Parse("{epochs: 30}", "benchmark"), new Learning.Recipes.DatasetFacts(1, 28, 28, DarkOnLight: false, TrainClasses: 100, TrainImages: 2000)));
        var model = new JsonObject { ["recipe"] = JsonNode.Parse(recipe), ["lineage"] = new JsonObject { ["seed"] = 1, ["code"] = new string('c', 40), ["device"] = "cpu" } };
        var comparison = new ModelComparison
        {
            Splits = [new ComparedSplit(SplitKinds.Current, 1, ["kea", "robin"], [0, 0, 1, 1], new Dictionary<string, IReadOnlyList<double>> { ["map@r"] = [0.5, 0.5, 0.5, 0.5] }, null)],
            ChallengerCost = new ModelCost(1_000_000, 128, 2, "cpu"), Checks = [],
        };
        await database.Write(async transaction =>
        {
            foreach (var name in Enumerable.Range(0, Others).Select(NameOfOther).Append(Main))
                await transaction.Execute(
                    """
                    insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
                    values (@name, 1, @name, @manifest, @reference, 0, 0, 0)
                    """,
                    new { name, manifest = JsonSerializer.Serialize(Manifest(name), ContractJson.Compact), reference = JsonSerializer.Serialize(new ArtifactRef($"datasets/{name}/v1/manifest.json", "", 0), ContractJson.Compact) });
        }, default);
        return new Parts(
            await Put("weights", new string('w', 1000)), await Put("model.json", model.ToJsonString()), await Put("evaluation.json", "{}"),
            await Put("comparison.json", JsonSerializer.Serialize(comparison, ContractJson.Compact)));

        Task<ArtifactRef> Put(string name, string text) => store.Put($"runs/parts/{name}", new MemoryStream(Encoding.UTF8.GetBytes(text)), default);
    }

    /// <returns>Milliseconds of processor time for each.</returns>
    private async Task<double> Register(Parts parts, int from, int to)
    {
        var footprint = new Footprint();
        for (var begin = from; begin < to; begin += Together)
        {
            var end = Math.Min(to, begin + Together);
            await database.Write(async transaction =>
            {
                for (var i = begin; i < end; i++) await Evaluated(transaction, parts, i);
            }, default);
            while (await database.QueryOne<int>("select count(*) from model_versions where state = 'ready'", null, default) < end) await Task.Delay(5);
        }
        return footprint.ProcessorSeconds * 1000 / (to - from);
    }

    private static async Task Evaluated(Transaction transaction, Parts parts, int number)
    {
        var dataset = number % 2 == 0 ? Main : NameOfOther(number / 2 % Others);
        var random = new Random(number);
        var run = string.Create(CultureInfo.InvariantCulture, $"{dataset}-{number}");
        var evaluated = new ModelEvaluated(
            run, dataset, 1, parts.Evaluation, Metrics.ToDictionary(name => name, _ => Math.Round(0.4 + 0.4 * random.NextDouble(), 5)), Champion: null, parts.Comparison);
        await transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, trained_json, evaluated_json, created_at, finished_at)
            values (@run, @dataset, 1, '{}', '', 'benchmark', 'a measurement', 'evaluated', @trained, @evaluated, @now, @now)
            """,
            new
            {
                run, dataset, now = Database.Now, trained = JsonSerializer.Serialize(new ModelTrained(run, dataset, 1, parts.Weights, parts.Model), ContractJson.Compact),
                evaluated = JsonSerializer.Serialize(evaluated, ContractJson.Compact),
            });
        await transaction.Publish(evaluated);
    }

    private async Task<Dictionary<string, (double Milliseconds, long Answer)>> Ask(HttpClient client)
    {
        var times = new Dictionary<string, (double, long)>(StringComparer.Ordinal);
        foreach (var request in Requests)
            times[$"GET {request}"] = await Time(async () => (await client.GetByteArrayAsync(new Uri(request.Replace(">=", "%3E%3D", StringComparison.Ordinal).Replace("<", "%3C", StringComparison.Ordinal), UriKind.Relative))).Length);
        times["what dml runs asks: rows"] = await Time(async () => (await database.Runs(dataset: null, default)).Count);
        times["what dml verify asks: objects"] = await Time(async () => (await StoredReferences.All(database, default)).Count);
        times["gc, dry run: garbage"] = await Time(async () =>
            (await GarbageCollection.Find(database, store, TimeSpan.Zero, new CheckpointRetention(TimeSpan.FromDays(30), 3), default)).Count);
        return times;
    }

    /// <returns>The fastest of several: what else this machine does is not measured.</returns>
    private static async Task<(double Milliseconds, long Answer)> Time(Func<Task<long>> ask)
    {
        var (best, answer) = (double.MaxValue, 0L);
        for (var i = 0; i < Repeats; i++)
        {
            var start = Stopwatch.GetTimestamp();
            answer = await ask();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        return (best, answer);
    }

    private static Task<(double Milliseconds, long Answer)> Time(Func<Task<int>> ask) => Time(async () => (long)await ask());

    private static string NameOfOther(int number) => string.Create(CultureInfo.InvariantCulture, $"other-{number:D2}");

    private static DatasetManifest Manifest(string name)
    {
        var nothing = new ArtifactRef($"datasets/{name}/v1/samples.jsonl", "", 0);
        return new DatasetManifest
        {
            Dataset = name, Version = 1, CreatedAt = DateTimeOffset.UnixEpoch, DropId = name, ContentHash = new string('0', 64), Split = new DatasetSplit("class", "", 0.1, 0.25),
            Classes = [new DatasetClass("kea", "kea", SplitNames.Train, 2)], Counts = new DatasetCounts(2, 2, 0, 0, 0), Facts = new(1, 28, 28, DarkOnLight: false), Samples = nothing, Shards = [],
        };
    }

    private WebApplication Host()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddFilter(level => level >= LogLevel.Warning).AddSimpleConsole();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(database).AddSingleton(store);
        builder.Services.AddEmbeddedBus(RegistryService.AddConsumers);
        builder.Services.AddRegistry();
        var app = builder.Build();
        app.MapRegistry();
        return app;
    }
}
