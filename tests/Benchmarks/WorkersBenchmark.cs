using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using DmlPipeline.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Benchmarks;

/// <summary>Eight trainings by one worker process and then by two, each on one core; and what the lease of a job costs beside 100,000 finished ones.</summary>
/// <remarks>usage: workers ARCHIVE [SERVERS], an archive of class folders; with the folder of infra/servers/postgres up FOLDER also on PostgreSQL.</remarks>
internal static class WorkersBenchmark
{
    private const int Trainings = 8, Steps = 60, FinishedJobs = 100_000, Leases = 300;
    private const string UserVariable = "DML_BENCHMARK_USER", PasswordVariable = "DML_BENCHMARK_PASSWORD";

    public static int Run(string[] args)
    {
        if (args is ["one", var database, var store, var work])
        {
            Work(database, store, work).GetAwaiter().GetResult();
            return 0;
        }
        if (args.Length == 0 || !File.Exists(args[0]) || args.Length > 1 && !File.Exists(Path.Combine(args[1], "postgres.env")))
        {
            Console.Error.WriteLine("Name an archive of class folders, and the folder of a PostgreSQL that runs (infra/servers/postgres up FOLDER) if it is to be measured: workers ARCHIVE [FOLDER]");
            return 1;
        }
        Measure(args[0], args.Length > 1 ? args[1] : null).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task Measure(string archive, string? servers)
    {
        var folder = Directory.CreateTempSubdirectory("dml-workers-benchmark-").FullName;
        try
        {
            var store = new FolderStore(Path.Combine(folder, "store"));
            var manifest = await Dataset(store, archive, folder);
            await Measure("SQLite", Path.Combine(folder, "state.db"), store, manifest, folder);
            if (servers is null) return;
            var postgres = File.ReadLines(Path.Combine(servers, "postgres.env")).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
            Environment.SetEnvironmentVariable(UserVariable, postgres["POSTGRES_USER"]);
            Environment.SetEnvironmentVariable(PasswordVariable, postgres["POSTGRES_PASSWORD"]);
            await Measure("PostgreSQL", $"postgres://{postgres["POSTGRES_HOST"]}:{postgres["POSTGRES_PORT"]}/{postgres["POSTGRES_DATABASE"]}", store, manifest, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Measure(string name, string location, FolderStore store, DatasetManifest manifest, string folder)
    {
        using var database = await Open(location);
        var one = await Train(database, location, store, manifest, folder, workers: 1);
        var two = await Train(database, location, store, manifest, folder, workers: 2);
        Print($"{name}: {Trainings} trainings on one core each: {one:F1} s by one worker, {two:F1} s by two: {two / one:F2} of the time");
        var before = await LeasesPerSecond(database);
        await database.Write(transaction => transaction.Execute(
            """
            with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < @FinishedJobs)
            insert into jobs (id, kind, subject, state, share, started_at, created_at, updated_at)
            select 'train:old-' || cast(n as text), 'train', 'old-' || cast(n as text), 'done', 'dataset-' || cast(n % 10 as text), n, n, n from numbers
            """, new { FinishedJobs }), default);
        Print($"{name}: {before:F0} leases a second with nothing else in the table, {await LeasesPerSecond(database):F0} beside {FinishedJobs} finished jobs");
    }

    /// <returns>Seconds until all are trained, with the start of the processes.</returns>
    private static async Task<double> Train(Database database, string location, FolderStore store, DatasetManifest manifest, string folder, int workers)
    {
        await database.Write(async transaction =>
        {
            await transaction.Execute("delete from runs");
            await transaction.Execute("delete from jobs");
            for (var i = 0; i < Trainings; i++)
            {
                var recipe = RecipeChoice.Resolve($"epochs: 1\nsteps_per_epoch: {Steps}\nseed: {i}\nbackbone: conv4\nimage: {{size: 32}}", manifest, budget: null, seed: null, threads: 1);
                var asked = new TrainModel($"{workers}-{i}", manifest.Dataset, manifest.Version, RecipeFile.ToCanonicalJson(recipe), "benchmark", "a measurement");
                await transaction.AddRun(asked, RecipeFile.Hash(recipe));
                await transaction.EnqueueTraining(asked.RunId);
            }
        }, default);
        var start = Stopwatch.GetTimestamp();
        var processes = Enumerable.Range(0, workers).Select(core =>
        {
            var child = new ProcessStartInfo("taskset", ["-c", $"{core}", "dotnet", Environment.GetCommandLineArgs()[0], "workers", "one", location, store.Root, Path.Combine(folder, $"work-{core}")]);
            return Process.Start(child)!;
        }).ToList();
        foreach (var process in processes)
        {
            await process.WaitForExitAsync();
            if (process.ExitCode != 0) throw new InvalidOperationException($"A worker ended with exit code {process.ExitCode}.");
            process.Dispose();
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (await database.QueryOne<int>("select count(*) from runs where state = 'trained'", null, default) != Trainings) throw new InvalidOperationException("Not all runs were trained.");
        return seconds;
    }

    /// <summary>One worker process: trains until nothing is left to train.</summary>
    private static async Task Work(string location, string store, string work)
    {
        using var database = await Open(location);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(database).AddSingleton<IArtifactStore>(new FolderStore(store));
        builder.Services.AddEmbeddedBus(_ => { }).AddTraining();
        builder.Services.Configure<TrainingOptions>(training => (training.WorkFolder, training.Device) = (work, "cpu"));
        using var host = builder.Build();
        await host.StartAsync();
        while (await database.QueryOne<int>("select count(*) from jobs where kind = 'train' and state in ('queued', 'leased')", null, default) > 0) await Task.Delay(100);
        await host.StopAsync();
    }

    private static async Task<double> LeasesPerSecond(Database database)
    {
        await database.Write(async transaction =>
        {
            await transaction.Execute("delete from jobs where state <> 'done' or subject not like 'old-%'");
            for (var i = 0; i < Leases; i++) await transaction.Enqueue("train", $"new-{i}", share: $"dataset-{i % 10}");
        }, default);
        var start = Stopwatch.GetTimestamp();
        while (await database.Lease("train", "benchmark", TimeSpan.FromMinutes(10), default) is not null)
        {
            // Taking them is what is measured.
        }
        return Leases / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<DatasetManifest> Dataset(FolderStore store, string archive, string folder)
    {
        var key = $"inbox/benchmark/{Path.GetFileName(archive)}";
        await using (var content = File.OpenRead(archive)) await store.Put(key, content, default);
        var result = await DatasetBuilder.Build(
            store, new Drop("benchmark", "benchmark", [(await store.Find(key, default))!]), parent: null, version: 1, new IngestionOptions { TemporaryFolder = folder }, progress: null, default);
        return result is DatasetBuildResult.Built built ? built.Manifest : throw new InvalidOperationException(((DatasetBuildResult.Rejected)result).Reason);
    }

    private static Task<Database> Open(string location) =>
        Database.Open(location, Environment.GetEnvironmentVariable(UserVariable), Environment.GetEnvironmentVariable(PasswordVariable), default);

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
