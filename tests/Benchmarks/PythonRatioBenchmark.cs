using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Benchmarks;

/// <summary>Training here beside the same network in plain PyTorch (conv4_training.py), taking turns in one run, so that both meet the same machine.</summary>
/// <remarks>
/// usage: python-ratio [--rounds 3] [--steps 300] [--threads 1]
/// Here the whole training loop runs (batches prepared on other threads, checkpoints, schedule); there, the bare steps. Needs python3-torch.
/// </remarks>
internal static class PythonRatioBenchmark
{
    private const int Classes = 32, PerClass = 4, Side = 32;

    // The one that the distribution's python3-torch belongs to, also where another comes first in the path.
    internal const string Python = "/usr/bin/python3";

    public static int Run(string[] args)
    {
        // One round of ours, in a process of its own like each of theirs.
        if (args is ["ours", var ourThreads, var ourSteps])
        {
            Console.WriteLine(Ours(Number(ourThreads), Number(ourSteps)).ToString("F1", CultureInfo.InvariantCulture));
            return 0;
        }

        var (rounds, steps, threads) = (Option(args, "--rounds", 3), Option(args, "--steps", 300), Option(args, "--threads", 1));
        var script = Path.Combine(Path.GetDirectoryName(ThisFile())!, "conv4_training.py");
        var (here, plain, last) = (new List<double>(), new List<double>(), new List<double>());
        Console.WriteLine($"images/s, {threads} thread(s), {steps} steps of {Classes * PerClass} images of {Side} x {Side}");
        Console.WriteLine($"{"round",5} {"here",8} {"PyTorch",8} {"PyTorch channels_last",22}");
        for (var round = 1; round <= rounds; round++)
        {
            here.Add(Measure("dotnet", [Environment.GetCommandLineArgs()[0], "python-ratio", "ours", $"{threads}", $"{steps}"]));
            plain.Add(Measure(Python, [script, $"{threads}", $"{steps}"]));
            last.Add(Measure(Python, [script, $"{threads}", $"{steps}", "channels_last"]));
            Console.WriteLine($"{round,5} {here[^1],8:F0} {plain[^1],8:F0} {last[^1],22:F0}");
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"median ratio here / PyTorch: {Median(here) / Median(plain):F2}; here / PyTorch channels_last: {Median(here) / Median(last):F2}"));
        return 0;
    }

    private static double Ours(int threads, int steps)
    {
        var shape = new ImageShape(1, Side, Side);
        var pixels = new byte[6400 * shape.Bytes];
        new Random(1).NextBytes(pixels);
        using var train = ImageSet.FromPixels(shape, [.. Enumerable.Range(0, 6400).Select(i => $"class {i / 20}")], pixels);
        var recipe = DatasetDefaults.Resolve(
            RecipeFile.Parse($"{{epochs: 10, steps_per_epoch: {steps / 10}, threads: {threads}, image: {{size: {Side}}}, augmentation: {{}}, loss: {{name: ice}}}}", "benchmark"),
            new DatasetFacts(1, Side, Side, DarkOnLight: false, TrainClasses: 320, TrainImages: 6400));
        var folder = Directory.CreateTempSubdirectory("dml-python-ratio-").FullName;
        try
        {
            var (start, first) = (0L, 0L);
            var outcome = TrainingLoop.Run(new TrainingJob { Recipe = recipe, Train = train, Validation = null, Folder = folder, Progressed = Note }, CancellationToken.None);
            return (outcome.History[^1].Step - first) * (double)(Classes * PerClass) / Stopwatch.GetElapsedTime(start).TotalSeconds;

            void Note(TrainingProgress progress)
            {
                if (start == 0 && progress.Step >= steps / 10) (start, first) = (Stopwatch.GetTimestamp(), progress.Step);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    internal static double Measure(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}. On Debian, PyTorch is: apt-get install python3-torch");
        return double.Parse(output.Trim().Split('\n')[^1], CultureInfo.InvariantCulture);
    }

    internal static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static int Option(string[] args, string name, int otherwise) => Array.IndexOf(args, name) is >= 0 and var at ? Number(args[at + 1]) : otherwise;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
