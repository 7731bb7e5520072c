using System.Globalization;
using System.Text.Json.Nodes;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Care;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Benchmarks.Scale;

/// <summary>One process of ingestion, from the inbox to the version: a large drop, a small one on top of it, many loose files; then what people ask of them.</summary>
internal sealed class ImagesAtScale(Database database, IArtifactStore store, string folder)
{
    private const string Large = "scale", Loose = "loose";
    private const int Added = 1000;

    private static readonly double[] Shares = [0.1, 0.5, 1];

    public async Task Run(int images)
    {
        await Footprint.Of($"{images:N0} images put into the inbox", () => TinyImages.PutArchives(store, Large, images, folder), archives => $"{archives} tar");
        await Footprint.Of($"{images:N0} images ingested", () => Ingest(Large, 1, images));
        await TinyImages.PutFiles(store, Large, images, Added);
        await Footprint.Of($"{Added:N0} loose files added to them", () => Ingest(Large, 2, sampled: 0));

        var loose = Math.Max(Added, images / 10);
        await TinyImages.PutFiles(store, Loose, 0, loose);
        await Footprint.Of($"{loose:N0} loose files ingested", () => Ingest(Loose, 1, sampled: 0));

        await Footprint.Of("open version 2, read an image", OpenVersion, heap => $"{heap:F0} MiB held");
        await Footprint.Of("what dml datasets show asks", Show, classes => $"{classes:N0} classes");
        await Footprint.Of("verify", Verify, result => $"{result.Objects} objects, {result.Bytes >> 20:N0} MiB, {result.Problems.Count} problems");
        await Footprint.Of("gc, dry run", CollectGarbage, garbage => $"{garbage.Count} to delete");
    }

    private async Task<bool> Ingest(string dataset, int version, int sampled)
    {
        using var host = Host();
        await host.StartAsync();
        var marks = new Queue<(string Phase, double Share)>(sampled == 0 ? [] : [.. Shares.Select(share => ("reading", share)), .. Shares.Select(share => ("writing", share))]);
        while (true)
        {
            await Task.Delay(50);
            var drop = await database.QueryOne<DropRow>("select * from drops where dataset = @dataset order by created_at desc, id limit 1", new { dataset }, default);
            if (drop?.ProgressJson is { } json) Sample(marks, JsonNode.Parse(json)!, sampled);
            if (drop is not { FinishedAt: not null } || drop.State == "ready" && drop.Version < version) continue;
            if (drop.State != "ready") throw new InvalidOperationException($"The drop became '{drop.State}': {drop.Reason}");
            await host.StopAsync();
            return true;
        }
    }

    private static void Sample(Queue<(string Phase, double Share)> marks, JsonNode progress, int images)
    {
        var (phase, done) = ((string)progress["step"]!, (int)progress["done"]!);
        // What has gone by between two looks is not sampled: the next mark of the phase under way is.
        while (marks.Count > 0 && marks.Peek().Phase != phase && marks.Any(mark => mark.Phase == phase)) marks.Dequeue();
        if (!marks.TryPeek(out var next) || next.Phase != phase || done < next.Share * images - Added) return;
        while (marks.TryPeek(out next) && next.Phase == phase && done >= next.Share * images - Added) marks.Dequeue();
        Footprint.Print($"    {phase} {done,10:N0}: {Footprint.HeapMegabytes,7:F0} MiB held, {Footprint.Megabytes,7:N0} MiB resident, {Footprint.PeakMegabytes,7:N0} MiB at most");
    }

    private async Task<double> OpenVersion()
    {
        using var reader = await DatasetReader.Open(store, Large, 2, default);
        _ = reader.Read(reader.Samples.Count / 2);
        var held = Footprint.HeapMegabytes;
        GC.KeepAlive(reader);
        return held;
    }

    private async Task<int> Show()
    {
        var versions = await database.DatasetVersions(Large, default);
        _ = await database.Drops(Large, default);
        return versions.Select(version => version.Manifest.Classes.Count).Last();
    }

    private async Task<VerificationResult> Verify() =>
        await StoreVerification.Run((await StoredReferences.All(database, default)).Values, store, progress: null, default);

    private Task<IReadOnlyList<Garbage>> CollectGarbage() =>
        GarbageCollection.Find(database, store, TimeSpan.Zero, new CheckpointRetention(TimeSpan.FromDays(30), 3), default);

    private IHost Host()
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddFilter(level => level >= LogLevel.Warning).AddSimpleConsole();
        builder.Services.AddSingleton(database).AddSingleton(store);
        builder.Services.AddEmbeddedBus(IngestionService.AddConsumers);
        builder.Services.AddIngestion();
        builder.Services.Configure<IngestionOptions>(ingestion => ingestion.TemporaryFolder = folder);
        return builder.Build();
    }
}
