using DmlPipeline.Torch;

namespace DmlPipeline.Tests.Torch;

/// <summary>Live tensors of the whole process, for tests that count them.</summary>
internal static class LiveTensors
{
    /// <summary>The count without what earlier tests have forgotten, which finalisers would otherwise take away in the middle of a test.</summary>
    public static long Settled()
    {
        for (var before = long.MaxValue; TorchRuntime.LiveTensors < before;)
        {
            before = TorchRuntime.LiveTensors;
            Collect();
        }
        return TorchRuntime.LiveTensors;
    }

    public static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
