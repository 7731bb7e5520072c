using static TorchSharp.torch;

namespace DmlPipeline.Torch;

public static partial class TorchRuntime
{
    /// <summary>The version of libtorch.</summary>
    public static string Version => __version__;

    /// <summary>Nothing: the package keeps no freed memory.</summary>
    public static void ReleaseFreeMemory()
    {
    }

    // TorchSharp reaches the processor's generator only: a run on CUDA resumes with other random numbers there.
    private static byte[] CudaRngState() => [];

    private static void SetCudaRngState(byte[] state)
    {
        // See above: there is no generator to put it into.
    }
}
