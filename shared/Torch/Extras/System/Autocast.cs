using DmlPipeline.Torch.Binding;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>Runs convolutions and matrix products in a shorter type, on the calling thread, for the length of a forward pass.</summary>
public static unsafe class Autocast
{
    /// <summary>Begins; dispose the result on the same thread before the backward pass.</summary>
    public static IDisposable Enter(Device device, ScalarType type) => new Guard(device.type, type);

    private sealed class Guard : IDisposable
    {
        private readonly DeviceType device;
        private bool ended;

        internal Guard(DeviceType device, ScalarType type)
        {
            this.device = device;
            Native.Check(Native.dml_set_autocast((int)device, 1, (int)type));
        }

        public void Dispose()
        {
            if (ended) return;
            ended = true;
            Native.Check(Native.dml_set_autocast((int)device, 0, 0));
        }
    }
}
