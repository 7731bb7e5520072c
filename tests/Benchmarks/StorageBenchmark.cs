using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Benchmarks;

/// <summary>
/// A large object to and from S3 with the peak of memory; small objects; transactions with inbox, effect and outbox on SQLite and PostgreSQL.
/// </summary>
/// <remarks>usage: storage FOLDER [MEGABYTES], where infra/servers/s3 up FOLDER and infra/servers/postgres up FOLDER have started the servers.</remarks>
internal static class StorageBenchmark
{
    private const int SmallObjects = 500;
    private const int Transactions = 2000;
    private const int AtOnce = 16;

    public static int Run(string[] args)
    {
        if (Servers.Find(args, "storage FOLDER [MEGABYTES]", "s3", "postgres") is not { } servers) return 1;
        var megabytes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1000;
        Measure(servers, megabytes).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task Measure(Servers servers, int megabytes)
    {
        var temporary = Directory.CreateTempSubdirectory("dml-storage-benchmark-").FullName;
        try
        {
            await MeasureStore(servers.Bucket("benchmark", Path.Combine(temporary, "cache")), megabytes);
            using (var sqlite = await Database.Open(Path.Combine(temporary, "state.db"), default)) await MeasureDatabase("SQLite", sqlite);
            using var database = await servers.OpenPostgres();
            await MeasureDatabase("PostgreSQL", database);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static async Task MeasureStore(S3Settings settings, int megabytes)
    {
        using var store = await S3Store.Open(settings, createBucket: true, default);
        var before = Process.GetCurrentProcess().WorkingSet64 >> 20;
        var put = await Time(() => store.Put("large", new Endless(megabytes * 1_000_000L), default));
        var get = await Time(async () =>
        {
            await using var stream = await store.OpenRead("large", default);
            await stream.CopyToAsync(Stream.Null);
        });
        Print($"{megabytes} MB to S3 at {megabytes / put:F0} MB/s, back at {megabytes / get:F0} MB/s; memory from {before} to at most {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        await store.Delete("large", default);

        var small = await Time(() => Parallel.ForAsync(0, SmallObjects, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, token) =>
            await store.Put($"small/{i}", new MemoryStream(new byte[10_000]), token)));
        Print($"{SmallObjects / small:F0} objects of 10 kB per second to S3, {AtOnce} at once");
    }

    private static async Task MeasureDatabase(string name, Database database)
    {
        var seconds = await Time(() => Parallel.ForAsync(0, Transactions, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, token) =>
            await database.Write(async transaction =>
            {
                await transaction.Receive(Guid.NewGuid(), "benchmark");
                await transaction.Enqueue("benchmark", Guid.NewGuid().ToString("N"));
                await transaction.Publish(new PrepareDataset($"{i}", "benchmark"));
            }, token)));
        Print($"{Transactions / seconds:F0} transactions with inbox, job and outbox per second on {name}, {AtOnce} at once");
    }

    private static async Task<double> Time(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>So many bytes that lie nowhere.</summary>
    private sealed class Endless(long left) : Stream
    {
        private long left = left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, left);
            left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
