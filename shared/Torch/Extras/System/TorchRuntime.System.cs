using DmlPipeline.Torch.Binding;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

public static partial class TorchRuntime
{
    /// <summary>The version of libtorch.</summary>
    public static string Version => __version__;

    /// <summary>Gives freed memory back to the system: between steps it is kept, because asking for it again costs more than the step.</summary>
    public static unsafe void ReleaseFreeMemory() => Native.Check(Native.dml_trim());

    private static byte[] CudaRngState()
    {
        using var generator = Generator.DefaultOf(new Device(DeviceType.CUDA, 0));
        return Contents(generator.get_state());
    }

    private static void SetCudaRngState(byte[] state)
    {
        using var generator = Generator.DefaultOf(new Device(DeviceType.CUDA, 0));
        generator.set_state(tensor(state));
    }
}
