using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>TorchSharp has no channels-last layout: everything stays as it is.</summary>
public static class MemoryFormats
{
    public static Tensor ChannelsLast(this Tensor tensor) => tensor.alias();

    public static void ToChannelsLast(this nn.Module module)
    {
        // Nothing to do: the layout is a matter of speed only.
    }
}
