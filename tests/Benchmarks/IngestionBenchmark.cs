using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Benchmarks;

/// <summary>Builds a dataset version from a dropped file: images per second from the archive to the manifest, and the peak of memory.</summary>
/// <remarks>usage: ingestion ARCHIVE… One process per measurement, so that peaks do not add up.</remarks>
internal static class IngestionBenchmark
{
    public static int Run(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("Name one or more archives: ingestion ARCHIVE…");
            return 1;
        }
        if (args is ["one", var archive]) return Measure(archive).GetAwaiter().GetResult();
        foreach (var path in args)
        {
            using var process = Process.Start("dotnet", [Environment.GetCommandLineArgs()[0], "ingestion", "one", path]);
            process.WaitForExit();
            if (process.ExitCode != 0) return process.ExitCode;
        }
        return 0;
    }

    private static async Task<int> Measure(string archive)
    {
        var folder = Directory.CreateTempSubdirectory("dml-ingestion-benchmark-").FullName;
        try
        {
            var store = new FolderStore(Path.Combine(folder, "store"));
            await using (var content = File.OpenRead(archive)) await store.Put("inbox/benchmark/" + Path.GetFileName(archive), content, default);
            var dropped = (await store.Find("inbox/benchmark/" + Path.GetFileName(archive), default))!;

            var (start, cpu) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
            var result = await DatasetBuilder.Build(
                store, new Drop("benchmark", "benchmark", new[] { dropped }.ToAsyncEnumerable()), parent: null, version: 1,
                new IngestionOptions { TemporaryFolder = folder }, progress: null, default);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            var process = Process.GetCurrentProcess();
            var images = result.Counts.Added;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(archive)}: {images} images ({dropped.Bytes / 1e6:F1} MB) in {seconds:F2} s: {images / seconds:F0} images/s, {dropped.Bytes / 1e6 / seconds:F1} MB/s, {(process.TotalProcessorTime - cpu).TotalSeconds / seconds:F1} cores; peak RSS {process.PeakWorkingSet64 >> 20} MiB"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
