using System.Diagnostics;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Benchmarks;

/// <summary>
/// Nanoseconds for one small operator, disposal included: what the binding adds to libtorch. Compare with the same line in Python,
/// which takes its own way through the dispatcher.
/// </summary>
internal static class TorchOpsBenchmark
{
    private const int Calls = 500_000;

    public static int Run(string[] args)
    {
        TorchRuntime.Initialize(1);
        Console.WriteLine($"libtorch {TorchRuntime.Version}, {TorchRuntime.DeviceName}, one thread, tensors of 4 floats");
        using var a = ones(4);
        using var b = ones(4);
        Report("a + b, disposed", () =>
        {
            using var c = a + b;
        });
        using (no_grad())
        {
            Report("a + b, disposed, no_grad", () =>
            {
                using var c = a + b;
            });
        }
        Report("a.add_(b)", () => a.add_(b));
        Report("a * 2.0, disposed", () =>
        {
            using var c = a * 2.0;
        });
        Report("a.shape", () => _ = a.shape);
        Report("a.view(2, 2), disposed", () =>
        {
            using var c = a.view(2, 2);
        });
        Report("a + b in a scope of 100", () =>
        {
            using var scope = NewDisposeScope();
            for (var i = 0; i < 100; i++) _ = a + b;
        }, 100);
        Console.WriteLine($"live tensors at the end: {TorchRuntime.LiveTensors}");
        return 0;
    }

    // The best of five: the others measure the neighbours.
    private static void Report(string name, Action call, int perCall = 1)
    {
        var best = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Calls / perCall; i++) call();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalNanoseconds / Calls);
        }
        Console.WriteLine($"{name,-28}{best,8:F0} ns");
    }
}
