using DmlPipeline.Torch.Binding;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The memory layout that convolutions are fastest in: channels last.</summary>
public static class MemoryFormats
{
    private const int ChannelsLastFormat = 2; // c10::MemoryFormat::ChannelsLast
    private static readonly Op Contiguous = new("aten::contiguous");
    private static readonly Op Clone = new("aten::clone");

    /// <summary>The same values [N, C, H, W], stored with the channels of a pixel side by side.</summary>
    public static Tensor ChannelsLast(this Tensor tensor) => Contiguous.Call(tensor, ChannelsLastFormat);

    /// <summary>
    /// Stores all weights of four dimensions with channels last. Call it before the optimiser takes its first step, whose state
    /// copies the layout.
    /// </summary>
    public static void ToChannelsLast(this nn.Module module)
    {
        using var quiet = no_grad();
        foreach (var parameter in module.parameters())
        {
            if (parameter.ndim != 4) continue;
            var learns = parameter.requires_grad;
            // A weight of one channel counts as laid out either way, and contiguous() would leave its strides alone.
            parameter.ReplaceHandle(Clone.Call(parameter, ChannelsLastFormat));
            parameter.requires_grad = learns;
        }
    }
}
