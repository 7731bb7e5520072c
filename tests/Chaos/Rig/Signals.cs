using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DmlPipeline.Chaos.Rig;

/// <summary>What a process is told from outside, and what it is allowed to do.</summary>
internal static partial class Signals
{
    public const int Kill = 9, Continue = 18, Stop = 19;

    /// <summary>Who is not there any more needs no signal.</summary>
    public static void Send(int process, int signal) => _ = SendSignal(process, signal);

    /// <summary>Limits the size of files that a running process writes: what goes beyond fails, as on a full disk. Null lifts the limit.</summary>
    public static async Task LimitFiles(int process, long? bytes)
    {
        using var limit = Process.Start(new ProcessStartInfo("prlimit", ["--pid", $"{process}", $"--fsize={(bytes is null ? "unlimited" : bytes)}:"]) { RedirectStandardError = true, UseShellExecute = false });
        await limit!.WaitForExitAsync();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
