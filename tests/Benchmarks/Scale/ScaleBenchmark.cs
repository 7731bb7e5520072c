using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Benchmarks.Scale;

/// <summary>A million images and ten thousand model versions, on SQLite with a folder and on PostgreSQL with a bucket: how memory, time and the database grow.</summary>
/// <remarks>
/// usage: scale FOLDER [IMAGES [MODELS]], where infra/servers/postgres up FOLDER has started PostgreSQL, and infra/servers/s3 up FOLDER an S3 server
/// if a bucket is to hold the images. Takes about 3 KB of disk for each image, where TMPDIR says. Each part is a process of its own.
/// </remarks>
internal static class ScaleBenchmark
{
    public static int Run(string[] args)
    {
        if (args is ["one", var measured, var engine, var count, var servers])
        {
            Measure(measured, engine, int.Parse(count, CultureInfo.InvariantCulture), servers).GetAwaiter().GetResult();
            return 0;
        }
        if (Servers.Find(args, "scale FOLDER [IMAGES [MODELS]]", "postgres") is null) return 1;
        (string Part, string Count)[] parts = [("images", args.Length > 1 ? args[1] : "1000000"), ("models", args.Length > 2 ? args[2] : "10000")];
        foreach (var (part, amount) in parts.Where(each => each.Count != "0"))
            foreach (var database in (string[])["SQLite", "PostgreSQL"])
            {
                using var process = Process.Start("dotnet", [Environment.GetCommandLineArgs()[0], "scale", "one", part, database, amount, args[0]]);
                process.WaitForExit();
                if (process.ExitCode != 0) return process.ExitCode;
            }
        return 0;
    }

    private static async Task Measure(string part, string engine, int count, string servers)
    {
        var folder = Directory.CreateTempSubdirectory("dml-scale-benchmark-").FullName;
        var bucket = engine == "PostgreSQL" && part == "images" && File.Exists(Path.Combine(servers, "s3.env"))
            ? await S3Store.Open(Servers.Find([servers], "", "s3")!.Bucket($"scale-{Guid.NewGuid():N}"[..14], Path.Combine(folder, "cache")), createBucket: true, default)
            : null;
        try
        {
            using var database = engine == "SQLite" ? await Database.Open(Path.Combine(folder, "state.db"), default) : await Servers.Find([servers], "", "postgres")!.OpenPostgres("scale", anew: true);
            Console.WriteLine($"{engine}, {(bucket is null ? "folder" : "bucket")}: {part}");
            IArtifactStore store = bucket is null ? new FolderStore(Path.Combine(folder, "store")) : bucket;
            if (part == "images") await new ImagesAtScale(database, store, folder).Run(count);
            else await new ModelsAtScale(database, store).Run(count);
            Footprint.Print($"  the database has {await Bytes(database, folder) / (double)(1 << 20):F1} MiB");
            if (bucket is not null) await Empty(bucket);
        }
        finally
        {
            bucket?.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<long> Bytes(Database database, string folder) =>
        database.IsPostgres
            ? await database.QueryOne<long>("select pg_database_size(current_database())", null, default)
            : Directory.GetFiles(folder, "state.db*").Sum(file => new FileInfo(file).Length);

    private static async Task Empty(S3Store bucket)
    {
        await foreach (var page in bucket.List("", default).Chunk(1000))
            await Parallel.ForEachAsync(page, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (item, cancel) => await bucket.Delete(item.Key, cancel));
    }
}
