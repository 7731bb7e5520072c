using System.Diagnostics;
using System.Globalization;

namespace DmlPipeline.Benchmarks.Scale;

/// <summary>What a step takes of this process: time, processor time and the peak of its memory, which starts anew with each step.</summary>
internal sealed class Footprint
{
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;

    public Footprint() => File.WriteAllText("/proc/self/clear_refs", "5");

    public double Seconds => Stopwatch.GetElapsedTime(start).TotalSeconds;

    public double ProcessorSeconds => (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;

    public static long PeakMegabytes => Process.GetCurrentProcess().PeakWorkingSet64 >> 20;

    public static long Megabytes => Process.GetCurrentProcess().WorkingSet64 >> 20;

    /// <summary>What is really held: looks after collecting, which takes a moment.</summary>
    public static double HeapMegabytes => GC.GetTotalMemory(forceFullCollection: true) / (double)(1 << 20);

    /// <summary>Runs one step and prints its line.</summary>
    public static async Task<T> Of<T>(string step, Func<Task<T>> work, Func<T, string>? tell = null)
    {
        var footprint = new Footprint();
        var result = await work();
        Print($"  {step,-44}{footprint.Seconds,9:F2} s {footprint.ProcessorSeconds,8:F2} s CPU {PeakMegabytes,7:N0} MiB peak   {tell?.Invoke(result)}");
        return result;
    }

    public static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
