using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>TorchSharp has no autocast: everything runs in the types that it has.</summary>
public static class Autocast
{
    public static IDisposable Enter(Device device, ScalarType type) => new Nothing();

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
            // Nothing was begun.
        }
    }
}
