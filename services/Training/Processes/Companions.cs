using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Torch;
using Microsoft.Extensions.Logging;
using TorchSharp;

namespace DmlPipeline.Training.Processes;

/// <summary>The other processes of a run on this machine: started for it, and ended with it or with this process.</summary>
internal sealed class Companions : IDisposable
{
    private const string VisibleGpus = "CUDA_VISIBLE_DEVICES";
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);

    private readonly string folder;
    private readonly List<Process> processes = [];

    private Companions(string folder) => this.folder = folder;

    public MeetingPoint Place => MeetingPoint.OfThisMachine(Path.Combine(folder, "meeting"));

    /// <summary>Starts ranks 1 to <paramref name="size"/> - 1, on the GPUs after this process's.</summary>
    public static Companions Start(CompanionCommand command, int size, string device, ILogger logger)
    {
        // Only this user can reach it: whoever writes the file could join.
        var companions = new Companions(Directory.CreateTempSubdirectory("dml-group-").FullName);
        try
        {
            for (var rank = 1; rank < size; rank++) companions.processes.Add(companions.Start(command, rank, size, device, logger));
            return companions;
        }
        catch
        {
            companions.Dispose();
            throw;
        }
    }

    /// <summary>Those that ended by themselves in the middle of a run, for whoever wonders why.</summary>
    public string Casualties() =>
        string.Join(", ", processes.Select((process, i) => (Rank: i + 1, Process: process)).Where(one => one.Process.HasExited)
            .Select(one => $"process {one.Rank} has ended with exit code {one.Process.ExitCode}"));

    /// <summary>They have ended by now, or are ended.</summary>
    public void Dispose()
    {
        // Without the other end of its standard input, a companion leaves.
        foreach (var process in processes) process.StandardInput.Close();
        foreach (var process in processes)
        {
            if (!process.WaitForExit(EndWithin)) process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private Process Start(CompanionCommand command, int rank, int size, string device, ILogger logger)
    {
        var start = new ProcessStartInfo(command.CommandLine[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        string[] place = ["--group", Place.File!, "--group-rank", rank.ToString(CultureInfo.InvariantCulture), "--group-size", size.ToString(CultureInfo.InvariantCulture)];
        foreach (var argument in command.CommandLine.Skip(1).Concat(place)) start.ArgumentList.Add(argument);
        if (device.StartsWith("cuda", StringComparison.Ordinal)) start.Environment[VisibleGpus] = GpuOf(rank, size, device);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Log(string? line)
        {
            if (!string.IsNullOrWhiteSpace(line)) logger.Companion(rank, line);
        }
    }

    /// <summary>A companion sees one GPU, its own.</summary>
    private static string GpuOf(int rank, int size, string device)
    {
        var count = torch.cuda.device_count();
        if (count < size) throw new Hosting.PermanentException($"{size} processes need as many GPUs, and this machine shows {count}: ask for fewer, or set {VisibleGpus}.");
        var first = device.Split(':') is [_, var number] ? int.Parse(number, CultureInfo.InvariantCulture) : 0;
        var own = (first + rank) % count;
        return Environment.GetEnvironmentVariable(VisibleGpus)?.Split(',')[own] ?? own.ToString(CultureInfo.InvariantCulture);
    }
}
