using System.Runtime.InteropServices;

namespace DmlPipeline.Learning.Data;

/// <summary>Makes the calling thread give way to the trainer when both want the same core.</summary>
internal static partial class BackgroundPriority
{
    private const int ThisThread = 0;
    private const int Nicer = 10;

    public static void Lower()
    {
        Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        // .NET keeps thread priorities to itself on Linux, where niceness belongs to each thread (setpriority(2), notes).
        if (OperatingSystem.IsLinux()) _ = SetPriority(which: 0, ThisThread, Nicer);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
