using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Ingestion;
using DmlPipeline.Ingestion.Events;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Benchmarks.Pipeline;

/// <summary>Many small drops, each a zip of its own dataset, from the first PUT to the last version: one ingestion process on the real servers, with events. Or few that are large.</summary>
internal static class DropsBenchmark
{
    private const int Classes = 6;
    private const int ImagesEach = 2;
    private const int AtOnce = 16;

    public static int Run(string[] args)
    {
        if (Servers.Find(args, "drops FOLDER [DROPS [MEGABYTES-EACH [BUILT-AT-ONCE]]]", "s3", "postgres", "rabbitmq") is not { } servers) return 1;
        Measure(servers, Number(1, 1000), Number(2, 0), Number(3, new IngestionOptions().DropsAtOnce)).GetAwaiter().GetResult();
        return 0;

        int Number(int at, int otherwise) => args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;
    }

    private static async Task Measure(Servers servers, int drops, int megabytes, int builtAtOnce)
    {
        var folder = Directory.CreateTempSubdirectory("dml-drops-benchmark-").FullName;
        var run = $"b{Guid.NewGuid():N}"[..8];
        try
        {
            using var store = await S3Store.Open(servers.Bucket($"drops-{run}", Path.Combine(folder, "cache")), createBucket: true, default);
            using var database = await servers.OpenPostgres();
            var bus = servers.Bus();
            using var host = Host(store, database, bus, ingestion => (ingestion.TemporaryFolder, ingestion.DropsAtOnce) = (folder, builtAtOnce));
            await host.StartAsync();

            var clock = Stopwatch.StartNew();
            await Parallel.ForAsync(0, drops, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, (i, cancel) => Put(store, $"inbox/{run}-{i:D4}/drop.zip", i, megabytes, cancel));
            var put = clock.Elapsed.TotalSeconds;
            var settled = 0.0;
            while (await Ended() < drops)
            {
                if (settled == 0 && await Settled() >= drops) settled = clock.Elapsed.TotalSeconds;
                await Task.Delay(200);
            }
            var all = clock.Elapsed.TotalSeconds;

            var versions = await database.QueryOne<int>("select count(*) from dataset_versions where dataset like @names", new { names = $"{run}-%" }, default);
            var process = Process.GetCurrentProcess();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{drops:N0} drops of {Classes * ImagesEach} images{(megabytes > 0 ? $" and {megabytes:N0} MB" : "")}, {builtAtOnce} built at once: put in {put:F1} s, settled after {(settled == 0 ? all : settled):F1} s; {versions:N0} versions {all:F1} s after the first PUT, {drops / all:F1} a second; {process.TotalProcessorTime.TotalSeconds:F0} s of CPU, peak RSS {process.PeakWorkingSet64 >> 20} MiB"));
            await host.StopAsync();
            await Forget(bus);

            Task<int> Settled() => database.QueryOne<int>("select count(*) from drops where dataset like @names", new { names = $"{run}-%" }, default);

            Task<int> Ended() => database.QueryOne<int>("select count(*) from drops where dataset like @names and finished_at is not null", new { names = $"{run}-%" }, default);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async ValueTask Put(S3Store store, string key, int seed, int megabytes, CancellationToken cancel)
    {
        await using var content = megabytes == 0
            ? (Stream)new MemoryStream()
            : new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        SmallDrop.Zip(content, seed, Classes, ImagesEach, settings: null, megabytes);
        content.Position = 0;
        await store.Put(key, content, cancel);
    }

    private static IHost Host(S3Store store, Database database, BusSettings bus, Action<IngestionOptions> options)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddFilter(level => level >= LogLevel.Warning).AddSimpleConsole();
        builder.Services.AddSingleton(database).AddSingleton<IArtifactStore>(store);
        builder.Services.AddPipelineBus(bus, IngestionService.AddConsumers);
        builder.Services.AddIngestion().AddObjectEvents(new EventSettings { IsRequired = true, Broker = bus });
        builder.Services.Configure(options);
        return builder.Build();
    }

    /// <summary>Nobody trains here: the versions would be trained by whoever uses this broker next.</summary>
    private static async Task Forget(BusSettings bus)
    {
        await using var connection = await RabbitMqConnection.Open(bus, default);
        await using var channel = await connection.CreateChannelAsync();
        foreach (var queue in PipelineQueues.All) await channel.QueuePurgeAsync(queue.Name);
    }
}
