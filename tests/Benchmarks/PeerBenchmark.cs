using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Benchmarks;

/// <summary>
/// Every loss here and in pytorch-metric-learning (peer_training.py), at the same time where there are cores for both, else taking turns: the same
/// images, network, first weights, batches, augmentation, optimiser and schedule, equally many steps or equally much time, both judged by the same
/// code on alphabets that neither saw.
/// </summary>
/// <remarks>
/// usage: peer OMNIGLOT_ZIP PML_SOURCE [--steps 800 | --seconds 420] [--losses ice,circle] [--seeds 0,1,2] [--threads 1] [--test ALPHABET,…] [--results FILE]
/// PML_SOURCE is the folder that holds pytorch_metric_learning. With --results, what the file holds already is not measured again.
/// </remarks>
internal static class PeerBenchmark
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Where our defaults are of another form than the peer has, its form: both have the same loss.</summary>
    private static readonly Dictionary<string, string> FormOfThePeer = new(StringComparer.Ordinal)
    {
        ["normface"] = "learned_scale: false",
        ["dynamic-soft-margin"] = "triplets: all",
        ["manifold"] = "proxies: 50",
    };

    public static int Run(string[] args)
    {
        if (args is ["ours", var folder, var name, var ourSeed, var ourThreads, var ourSteps, var ourSeconds])
            return Ours(folder, name, int.Parse(ourSeed, CultureInfo.InvariantCulture), ourThreads, Number(ourSteps), Number(ourSeconds));

        var (steps, seconds) = Option(args, "--seconds") is { } given ? (0, Number(given)) : (Number(Option(args, "--steps") ?? "800"), 0);
        var threads = Option(args, "--threads") ?? "1";
        var losses = Option(args, "--losses")?.Split(',') ?? [.. LossCatalogue.Names];
        var seeds = (Option(args, "--seeds") ?? "0").Split(',').Select(Number).ToList();
        var results = Option(args, "--results");
        var known = results is not null && File.Exists(results) ? [.. File.ReadLines(results).Select(line => JsonSerializer.Deserialize<Measured>(line)!)] : new List<Measured>();

        var shared = Directory.CreateTempSubdirectory("dml-peer-").FullName;
        try
        {
            var testLabels = Export(args[0], shared, (Option(args, "--test") ?? HeldOutFolders.OfOurSplit).Split(','));
            foreach (var loss in losses)
            {
                foreach (var seed in seeds)
                {
                    string[] tail = [shared, loss, $"{seed}", threads, $"{steps}", $"{seconds}"];
                    Action[] sides =
                    [
                        () => Take("here", loss, seed, "dotnet", [Environment.GetCommandLineArgs()[0], "peer", "ours", .. tail]),
                        () => Take("peer", loss, seed, Python, [Path.Combine(Path.GetDirectoryName(ThisFile())!, "peer_training.py"), args[1], .. tail]),
                    ];
                    Parallel.Invoke(new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount >= 2 * Number(threads) ? 2 : 1 }, sides);
                }
            }

            void Take(string side, string loss, int seed, string program, string[] arguments)
            {
                lock (known)
                    if (known.Exists(result => result.Side == side && result.Loss == loss && result.Seed == seed && result.Steps == steps && result.Seconds == seconds)) return;
                if (Train(program, arguments) is not { } speeds) return;
                var embeddings = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(shared, $"{side}.embeddings"))).ToArray();
                var judged = RetrievalMetrics.Compute(embeddings, embeddings.Length / testLabels.Length, testLabels, EvaluationOptions.Validation, CancellationToken.None).Values;
                var measured = new Measured(side, loss, seed, steps, seconds, judged["recall@1"], judged["map@r"], speeds[0], speeds[1]);
                lock (known)
                {
                    known.Add(measured);
                    if (results is not null) File.AppendAllText(results, JsonSerializer.Serialize(measured) + "\n");
                    Console.Error.WriteLine(measured);
                }
            }
        }
        finally
        {
            Directory.Delete(shared, recursive: true);
        }
        Print(known.Where(result => losses.Contains(result.Loss) && result.Steps == steps && result.Seconds == seconds), losses);
        return 0;
    }

    /// <summary>One training here; embeddings of the test images go into the folder.</summary>
    private static int Ours(string folder, string loss, int seed, string threads, int steps, int seconds)
    {
        using var train = Read(folder, "train");
        using var test = Read(folder, "test");
        // Heating brings its own drop of the rate, which the papers keep constant before.
        var schedule = LossCatalogue.All.Single(entry => entry.Name == loss).Options.Any(option => option.Name == "heating") ? "constant" : "cosine";
        var length = seconds > 0 ? $"budget: {seconds}s" : $"epochs: {steps / 100}\nsteps_per_epoch: 100";
        var form = FormOfThePeer.TryGetValue(loss, out var options) ? $", {options}" : "";
        var trial = TrainingTrial.Run(train, test, $"{length}\nseed: {seed}\nthreads: {threads}\nschedule: {{kind: {schedule}}}\nloss: {{name: {loss}{form}}}\n{TrainingTrial.Strokes}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trial.ImagesPerSecond:F1} {trial.ImagesPerCpuSecond:F1}"));
        File.WriteAllBytes(Path.Combine(folder, "here.embeddings"), MemoryMarshal.AsBytes(trial.Embeddings.AsSpan()).ToArray());
        return 0;
    }

    /// <summary>Images/s and images per second of processor time; null where the peer lacks the loss.</summary>
    private static double[]? Train(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode == 3) return null;
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}. The peer needs python3-torch, python3-sklearn and python3-tqdm.");
        return [.. output.Trim().Split('\n')[^1].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
    }

    /// <summary>Decodes the archive for both sides, and returns the labels of the test images.</summary>
    private static int[] Export(string zip, string folder, string[] held)
    {
        foreach (var part in new[] { "train", "test" })
        {
            using var set = HeldOutFolders.Load(zip, TrainingTrial.Shape, held, part == "test");
            var pixels = new byte[set.Count * set.Shape.Bytes];
            for (var i = 0; i < set.Count; i++) set.CopyPixels(i, pixels.AsSpan(i * set.Shape.Bytes, set.Shape.Bytes));
            File.WriteAllBytes(Path.Combine(folder, $"{part}.pixels"), pixels);
            File.WriteAllBytes(Path.Combine(folder, $"{part}.labels"), MemoryMarshal.AsBytes(set.Labels.Select(label => (long)label).ToArray().AsSpan()).ToArray());
        }
        return Labels(folder, "test");
    }

    private static int[] Labels(string folder, string part) => [.. MemoryMarshal.Cast<byte, long>(File.ReadAllBytes(Path.Combine(folder, $"{part}.labels"))).ToArray().Select(label => (int)label)];

    private static ImageSet Read(string folder, string part) => ImageSet.FromPixels(
        TrainingTrial.Shape, [.. Labels(folder, part).Select(label => $"{label:D4}")], File.ReadAllBytes(Path.Combine(folder, $"{part}.pixels")));

    private static void Print(IEnumerable<Measured> results, string[] order)
    {
        Console.WriteLine($"{"",-30} {"here",34}   {"pytorch-metric-learning",34}   images per CPU-second");
        Console.WriteLine($"{"loss",-30} {"recall@1",10} {"MAP@R",10} {"img/CPU-s",12}   {"recall@1",10} {"MAP@R",10} {"img/CPU-s",12}   {"here / there",12}");
        foreach (var group in results.GroupBy(result => result.Loss).OrderBy(group => Array.IndexOf(order, group.Key)))
        {
            var (here, peer) = (group.Where(result => result.Side == "here").ToList(), group.Where(result => result.Side == "peer").ToList());
            var ratio = here.Count > 0 && peer.Count > 0 ? here.Average(r => r.ImagesPerCpuSecond) / peer.Average(r => r.ImagesPerCpuSecond) : double.NaN;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Key,-30} {Columns(here)}   {Columns(peer)}   {(double.IsNaN(ratio) ? "–" : ratio.ToString("F2", CultureInfo.InvariantCulture)),12}"));
        }
    }

    private static string Columns(List<Measured> runs) => runs.Count == 0
        ? $"{"–",10} {"–",10} {"–",12}"
        : string.Create(CultureInfo.InvariantCulture, $"{Spread(runs, r => r.Recall1),10} {Spread(runs, r => r.MapAtR),10} {runs.Average(r => r.ImagesPerCpuSecond),12:F0}");

    private static string Spread(List<Measured> runs, Func<Measured, double> metric)
    {
        var values = runs.Select(run => 100 * metric(run)).ToList();
        var mean = values.Average();
        return runs.Count == 1
            ? mean.ToString("F1", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{mean:F1}±{Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1)):F1}");
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : null;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private sealed record Measured(string Side, string Loss, int Seed, int Steps, int Seconds, double Recall1, double MapAtR, double ImagesPerSecond, double ImagesPerCpuSecond);
}
