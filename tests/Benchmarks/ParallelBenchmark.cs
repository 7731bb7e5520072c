using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Torch;

namespace DmlPipeline.Benchmarks;

/// <summary>The same training in one process with all threads and in several that divide them, taking turns, so that both meet the same machine.</summary>
/// <remarks>
/// usage: parallel [--processes 2] [--threads 2] [--rounds 3] [--steps 100] [--backbone conv4] [--size 32]
/// The whole training loop runs, on noise; the batch of 128 images is the same, and so are the losses.
/// </remarks>
internal static class ParallelBenchmark
{
    private const int Classes = 32, PerClass = 4;

    public static int Run(string[] args)
    {
        // One rank of one measurement, in a process of its own.
        if (args is ["rank", var meeting, var rank, .. var rest])
        {
            if (Train(meeting, int.Parse(rank, CultureInfo.InvariantCulture), rest) is { } speed) Console.WriteLine(speed.ToString("F2", CultureInfo.InvariantCulture));
            return 0;
        }
        var (processes, threads, rounds) = (Option(args, "--processes", 2), Option(args, "--threads", 2), Option(args, "--rounds", 3));
        var (one, several) = (new List<double>(), new List<double>());
        Console.WriteLine($"steps/s of {Classes * PerClass} images, {Text(args, "--backbone", "conv4")} on {Option(args, "--size", 32)} x {Option(args, "--size", 32)}");
        Console.WriteLine($"{"round",5} {$"1 process, {threads} threads",24} {$"{processes} processes, {threads / processes} each",24}");
        for (var round = 1; round <= rounds; round++)
        {
            one.Add(Measure(1, threads, args));
            several.Add(Measure(processes, Math.Max(1, threads / processes), args));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round,5} {one[^1],24:F2} {several[^1],24:F2}"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median ratio: {PythonRatioBenchmark.Median(several) / PythonRatioBenchmark.Median(one):F2}"));
        return 0;
    }

    private static double Measure(int processes, int threads, string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("dml-parallel-").FullName;
        var ranks = new List<Process>();
        try
        {
            string[] Arguments(int rank) =>
                [Environment.GetCommandLineArgs()[0], "parallel", "rank", Path.Combine(folder, "meeting"), $"{rank}", "--of", $"{processes}", "--each", $"{threads}", .. args];
            for (var rank = 1; rank < processes; rank++) ranks.Add(Process.Start("dotnet", Arguments(rank)));
            return PythonRatioBenchmark.Measure("dotnet", Arguments(0));
        }
        finally
        {
            foreach (var rank in ranks)
            {
                rank.WaitForExit();
                rank.Dispose();
            }
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>Steps per second after the first tenth; null for a process that follows.</returns>
    private static double? Train(string meeting, int rank, string[] args)
    {
        var (size, steps) = (Option(args, "--size", 32), Option(args, "--steps", 100));
        var shape = new ImageShape(1, size, size);
        var pixels = new byte[3200 * shape.Bytes];
        new Random(1).NextBytes(pixels);
        using var train = ImageSet.FromPixels(shape, [.. Enumerable.Range(0, 3200).Select(i => $"class {i / 20}")], pixels);
        var recipe = DatasetDefaults.Resolve(
            RecipeFile.Parse(
                $"{{epochs: 10, steps_per_epoch: {Math.Max(1, steps / 10)}, backbone: {Text(args, "--backbone", "conv4")}, image: {{size: {size}}}, augmentation: {{}}, loss: {{name: ice}}, sampler: {{classes: {Classes}, images_per_class: {PerClass}}}}}",
                "benchmark"),
            new DatasetFacts(1, size, size, DarkOnLight: false, TrainClasses: 160, TrainImages: 3200));
        using var group = ProcessGroup.Join(MeetingPoint.OfThisMachine(meeting), rank, Option(args, "--of", 1), TimeSpan.FromMinutes(2), CancellationToken.None);
        var (start, first) = (0L, 0L);
        var job = new TrainingJob
        {
            Recipe = recipe, Train = train, Folder = meeting + ".run", Device = "cpu", Group = group, Threads = Option(args, "--each", 1), CheckpointEvery = TimeSpan.FromHours(1), Progressed = Note,
        };
        if (rank > 0)
        {
            TrainingFollower.Run(job, CancellationToken.None);
            return null;
        }
        var outcome = TrainingLoop.Run(job, CancellationToken.None);
        return (outcome.History[^1].Step - first) / Stopwatch.GetElapsedTime(start).TotalSeconds;

        void Note(TrainingProgress progress)
        {
            if (start == 0 && progress.Step >= steps / 10) (start, first) = (Stopwatch.GetTimestamp(), progress.Step);
        }
    }

    private static string Text(string[] args, string name, string otherwise) => Array.LastIndexOf(args, name) is >= 0 and var at ? args[at + 1] : otherwise;

    private static int Option(string[] args, string name, int otherwise) => Array.LastIndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;
}
