using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using DmlPipeline.Learning.Backbones;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Benchmarks;

/// <summary>Training steps and embeddings per second of every backbone, and of ResNet-18 beside plain PyTorch (resnet18_training.py), taking turns.</summary>
/// <remarks>
/// usage: backbones [NAME…] [--size 64] [--batch 32] [--steps 10] [--threads 0] [--rounds 3]
/// A step is forward, ICE loss, backward and AdamW on colour noise that lies in memory; the first fifth of the steps warms up. ResNet-18's ratio needs python3-torch; --rounds 0 leaves it out.
/// </remarks>
internal static class BackboneBenchmark
{
    private const int PerClass = 4, Embedding = 128;

    public static int Run(string[] args)
    {
        var sizes = new Sizes(Option(args, "--size", 64), Option(args, "--batch", 32), Option(args, "--steps", 10), Option(args, "--threads", 0), Option(args, "--rounds", 3));
        // One round of one backbone, in a process of its own like each of PyTorch's.
        if (args is ["one", var one, ..])
        {
            var (trained, embedded) = Measure(one, sizes);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{embedded:F1}\n{trained:F1}"));
            return 0;
        }

        var wanted = args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        Console.WriteLine($"images/s of {sizes.Size} x {sizes.Size} pixels, batches of {sizes.Batch}, {sizes.Steps} steps, {Threads(sizes)} thread(s), libtorch {TorchRuntime.Version}");
        Console.WriteLine($"{"backbone",-20}{"training",10}{"embedding",11}");
        foreach (var entry in BackboneCatalogue.All.Where(entry => wanted.Count == 0 || wanted.Contains(entry.Name)))
        {
            var (trained, embedded) = Measure(entry.Name, sizes);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entry.Name,-20}{trained,10:F1}{embedded,11:F1}"));
        }
        if (sizes.Rounds > 0 && (wanted.Count == 0 || wanted.Contains("resnet18"))) BesidePython(sizes);
        return 0;
    }

    private static void BesidePython(Sizes sizes)
    {
        string[] numbers = [$"{sizes.Size}", $"{sizes.Batch}", $"{sizes.Steps}", $"{Threads(sizes)}"];
        var script = Path.Combine(Path.GetDirectoryName(ThisFile())!, "resnet18_training.py");
        var (here, plain, last) = (new List<double>(), new List<double>(), new List<double>());
        Console.WriteLine($"\nresnet18, training: {"here",8} {"PyTorch",8} {"PyTorch channels_last",22}");
        for (var round = 1; round <= sizes.Rounds; round++)
        {
            here.Add(PythonRatioBenchmark.Measure(
                "dotnet",
                [Environment.GetCommandLineArgs()[0], "backbones", "one", "resnet18", "--size", numbers[0], "--batch", numbers[1], "--steps", numbers[2], "--threads", numbers[3]]));
            plain.Add(PythonRatioBenchmark.Measure(PythonRatioBenchmark.Python, [script, .. numbers]));
            last.Add(PythonRatioBenchmark.Measure(PythonRatioBenchmark.Python, [script, .. numbers, "channels_last"]));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"round " + round,19}{here[^1],9:F1}{plain[^1],9:F1}{last[^1],23:F1}"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"median ratio here / PyTorch: {PythonRatioBenchmark.Median(here) / PythonRatioBenchmark.Median(plain):F2}; here / PyTorch channels_last: {PythonRatioBenchmark.Median(here) / PythonRatioBenchmark.Median(last):F2}"));
    }

    private static (double Trained, double Embedded) Measure(string name, Sizes sizes)
    {
        using var scope = NewDisposeScope();
        set_num_threads(Threads(sizes));
        var spec = new ModelSpec(name, Embedding, new ImageShape(3, sizes.Size, sizes.Size), [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], Invert: false) { Stem = ResNetStem.Standard };
        using var model = EmbeddingModel.Create(spec, seed: 0);
        using var loss = LossCatalogue.Create(new LossSettings("ice"), sizes.Batch / PerClass, Embedding, CPU);
        using var optimiser = new ForeachAdamW([new ParameterGroup([.. model.parameters()], 1e-3, 1e-2)]);
        var pixels = randint(0, 256, [sizes.Batch, 3, sizes.Size, sizes.Size], ScalarType.Byte);
        var labels = arange(0, sizes.Batch / PerClass, ScalarType.Int64).repeat_interleave(PerClass);

        var trained = Rate(sizes, () =>
        {
            using var step = NewDisposeScope();
            var mean = MetricLoss.Sum(loss.Terms(LossInput.Batch(model.Features(pixels), labels)));
            optimiser.ZeroGrad();
            mean.backward();
            optimiser.Step();
        });
        model.eval();
        using var noGradient = no_grad();
        var embedded = Rate(sizes, () => model.call(pixels).Dispose());
        return (trained, embedded);
    }

    private static double Rate(Sizes sizes, Action step)
    {
        var warmUp = Math.Max(1, sizes.Steps / 5);
        for (var i = 0; i < warmUp; i++) step();
        var start = Stopwatch.GetTimestamp();
        for (var i = warmUp; i < sizes.Steps; i++) step();
        return (sizes.Steps - warmUp) * sizes.Batch / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static int Threads(Sizes sizes) => sizes.Threads == 0 ? Environment.ProcessorCount : sizes.Threads;

    private static int Option(string[] args, string name, int otherwise) =>
        Array.IndexOf(args, name) is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private sealed record Sizes(int Size, int Batch, int Steps, int Threads, int Rounds);
}
