using System.Collections.Concurrent;
using System.Diagnostics;

namespace DmlPipeline.Chaos.Rig;

/// <summary>One process of the pipeline, <c>dml serve SERVICE</c>, started again whenever it ends, as a service manager would.</summary>
internal sealed class ServiceProcess(string name, string service, string folder, Func<ServiceProcess, IReadOnlyDictionary<string, string>> environment)
{
    private readonly Lock starting = new();
    private Process? process;
    private TaskCompletionSource ended = new();
    private bool killed;

    public string Name => name;

    public string Service => service;

    public string Log => Path.Combine(folder, $"{name}.log");

    public string ClockFile => Path.Combine(folder, $"{name}.clock");

    /// <summary>Ends that nobody brought about: when, the exit code, and the last that it said.</summary>
    public ConcurrentQueue<string> EndedByItself { get; } = new();

    public int? Id
    {
        get
        {
            lock (starting) return process is { HasExited: false } ? process.Id : null;
        }
    }

    /// <summary>Runs until cancelled, and then until the process has ended.</summary>
    public async Task Run(CancellationToken cancel)
    {
        File.WriteAllBytes(ClockFile, new byte[sizeof(long)]);
        while (!cancel.IsCancellationRequested)
        {
            using var running = Start();
            try
            {
                await running.WaitForExitAsync(cancel);
            }
            catch (OperationCanceledException)
            {
                running.Kill();
                await running.WaitForExitAsync(CancellationToken.None);
                ended.TrySetResult();
                return;
            }
            lock (starting)
            {
                if (!killed) EndedByItself.Enqueue($"{name} at {DateTime.Now:HH:mm:ss}, exit code {running.ExitCode}: {File.ReadLines(Log).LastOrDefault(line => line.Length > 0)}");
                process = null;
                killed = false;
                ended.SetResult();
            }
        }
    }

    /// <summary>kill -9; returns when it is dead.</summary>
    /// <returns>False when it did not run at that moment.</returns>
    public async Task<bool> Kill()
    {
        Task death;
        lock (starting)
        {
            if (process is not { HasExited: false } || killed) return false;
            killed = true;
            death = ended.Task;
            process.Kill();
        }
        await death;
        return true;
    }

    /// <summary>Sets its wall clock wrong by so many seconds.</summary>
    public void SetClock(long wrongBy)
    {
        using var file = new FileStream(ClockFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Write(BitConverter.GetBytes(wrongBy));
    }

    private Process Start()
    {
        // Without the trap a write beyond the limit on files would end the process; on a full disk it only fails.
        var start = new ProcessStartInfo("bash", ["-c", "trap '' XFSZ; log=$1; shift; exec \"$@\" >> \"$log\" 2>&1 < /dev/null", "service", Log, "dotnet", typeof(Cli.CommandLine).Assembly.Location, "serve", service, "--home", Path.Combine(folder, name)]);
        start.Environment.Clear();
        foreach (var (key, value) in environment(this)) start.Environment[key] = value;
        lock (starting)
        {
            ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            process = Process.Start(start)!;
            File.WriteAllText(Path.Combine(folder, $"{name}.pid"), $"{process.Id}");
            return process;
        }
    }
}
