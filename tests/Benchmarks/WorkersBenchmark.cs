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

/// <summary>
/// Eight trainings by one worker process and then by two, each on one core; how soon a training ends that is cancelled; and what the lease of a
/// job costs beside 100,000 finished ones.
/// </summary>
/// <remarks>usage: workers ARCHIVE [SERVERS], an archive of class folders; with the folder of infra/servers/postgres up FOLDER also on PostgreSQL.</remarks>
internal static class WorkersBenchmark
{
    private const int Trainings = 8, Steps = 60, Cancellations = 5, FinishedJobs = 100_000, Leases = 300;
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
            await Measure("SQLite", Path.Combine(folder, "state.db"), archive, Directory.CreateDirectory(Path.Combine(folder, "sqlite")).FullName);
            if (servers is null) return;
            var postgres = File.ReadLines(Path.Combine(servers, "postgres.env")).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
            Environment.SetEnvironmentVariable(UserVariable, postgres["POSTGRES_USER"]);
            Environment.SetEnvironmentVariable(PasswordVariable, postgres["POSTGRES_PASSWORD"]);
            await Measure(
                "PostgreSQL", $"postgres://{postgres["POSTGRES_HOST"]}:{postgres["POSTGRES_PORT"]}/{postgres["POSTGRES_DATABASE"]}", archive,
                Directory.CreateDirectory(Path.Combine(folder, "postgres")).FullName);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <param name="folder">Of this database alone: a run that lies there as trained would not be trained again.</param>
    private static async Task Measure(string name, string location, string archive, string folder)
    {
        var store = new FolderStore(Path.Combine(folder, "store"));
        var manifest = await Dataset(store, archive, folder);
        using var database = await Open(location);
        var one = await Train(database, location, store, manifest, folder, workers: 1);
        var two = await Train(database, location, store, manifest, folder, workers: 2);
        Print($"{name}: {Trainings} trainings on one core each: {one.Seconds:F1} s by one worker, {two.Seconds:F1} s by two: {two.Seconds / one.Seconds:F2} of the time; of processor time the busier of the two took {two.Processor / one.Processor:F2} of what the one took ({one.Processor:F0} s)");
        var waits = new List<double>();
        for (var i = 0; i < Cancellations; i++) waits.Add(await Cancel(database, location, store, manifest, folder, i));
        Print($"{name}: a cancelled training ended, with its checkpoint in the store, after {waits.Min():F1} to {waits.Max():F1} s ({Cancellations} times)");
        var before = await LeasesPerSecond(database);
        await database.Write(transaction => transaction.Execute(
            """
            with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < @FinishedJobs)
            insert into jobs (id, kind, subject, state, share, started_at, created_at, updated_at)
            select 'train:old-' || cast(n as text), 'train', 'old-' || cast(n as text), 'done', 'dataset-' || cast(n % 10 as text), n, n, n from numbers
            """, new { FinishedJobs }), default);
        Print($"{name}: {before:F0} leases a second with nothing else in the table, {await LeasesPerSecond(database):F0} beside {FinishedJobs} finished jobs");
    }

    /// <returns>Seconds until all are trained, with the start of the processes; and of the processor time of the busiest, which does not depend on what else the machine does.</returns>
    private static async Task<(double Seconds, double Processor)> Train(Database database, string location, FolderStore store, DatasetManifest manifest, string folder, int workers)
    {
        await database.Write(async transaction =>
        {
            await transaction.Execute("delete from runs");
            await transaction.Execute("delete from jobs");
            for (var i = 0; i < Trainings; i++) await Ask(transaction, $"{workers}-{i}", manifest, epochs: 1, seed: i);
        }, default);
        var start = Stopwatch.GetTimestamp();
        var processes = Enumerable.Range(0, workers).Select(core => StartWorker(core, location, store, folder)).ToList();
        foreach (var process in processes) await Ended(process);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (await database.QueryOne<int>("select count(*) from runs where state = 'trained'", null, default) != Trainings) throw new InvalidOperationException("Not all runs were trained.");
        return (seconds, Enumerable.Range(0, workers).Max(core => double.Parse(File.ReadAllText(ProcessorFile(WorkFolder(folder, core))), CultureInfo.InvariantCulture)));
    }

    /// <returns>Seconds from the question to the end of the run.</returns>
    private static async Task<double> Cancel(Database database, string location, FolderStore store, DatasetManifest manifest, string folder, int number)
    {
        var run = $"cancelled-{number}";
        await database.Write(transaction => Ask(transaction, run, manifest, epochs: 1000, seed: number), default);
        var worker = StartWorker(core: 0, location, store, folder);
        while ((await database.Run(run, default))!.ProgressJson is null) await Task.Delay(50);
        var start = Stopwatch.GetTimestamp();
        await database.RequestCancel(run, default);
        while ((await database.Run(run, default))!.State != "cancelled") await Task.Delay(50);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (await store.Find(RunRows.CheckpointKey(run), default) is null) throw new InvalidOperationException("The cancelled training left no checkpoint.");
        await Ended(worker);
        return seconds;
    }

    private static async Task Ask(Transaction transaction, string run, DatasetManifest manifest, int epochs, int seed)
    {
        var recipe = RecipeChoice.Resolve($"epochs: {epochs}\nsteps_per_epoch: {Steps}\nseed: {seed}\nbackbone: conv4\nimage: {{size: 32}}", manifest, budget: null, seed: null, threads: 1);
        var asked = new TrainModel(run, manifest.Dataset, manifest.Version, RecipeFile.ToCanonicalJson(recipe), "benchmark", "a measurement");
        await transaction.AddRun(asked, RecipeFile.Hash(recipe));
        await transaction.EnqueueTraining(run);
    }

    private static Process StartWorker(int core, string location, FolderStore store, string folder) =>
        Process.Start("taskset", ["-c", $"{core}", "dotnet", Environment.GetCommandLineArgs()[0], "workers", "one", location, store.Root, WorkFolder(folder, core)]);

    private static string WorkFolder(string folder, int core) => Path.Combine(folder, $"work-{core}");

    private static string ProcessorFile(string work) => work + ".processor";

    private static async Task Ended(Process process)
    {
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"A worker ended with exit code {process.ExitCode}.");
        process.Dispose();
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
        await File.WriteAllTextAsync(ProcessorFile(work), Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds.ToString(CultureInfo.InvariantCulture));
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
            store, new Drop("benchmark", "benchmark", new[] { (await store.Find(key, default))! }.ToAsyncEnumerable()), parent: null, version: 1, new IngestionOptions { TemporaryFolder = folder }, progress: null, default);
        return result is DatasetBuildResult.Built built ? built.Manifest : throw new InvalidOperationException(((DatasetBuildResult.Rejected)result).Reason);
    }

    private static Task<Database> Open(string location) =>
        Database.Open(location, Environment.GetEnvironmentVariable(UserVariable), Environment.GetEnvironmentVariable(PasswordVariable), default);

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
