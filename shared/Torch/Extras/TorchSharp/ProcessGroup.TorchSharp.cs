using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>TorchSharp has no torch.distributed: every process is by itself.</summary>
public sealed partial class ProcessGroup
{
    private const string Missing = "TorchSharp's package cannot join processes: train with one process, or build with -p:TorchProvider=System.";

    public void SynchroniseBatchNorm(nn.Module module)
    {
        if (!IsSolo) throw new PlatformNotSupportedException(Missing);
    }

    public void Dispose()
    {
        // There is nothing to leave.
    }

    private void Enter(MeetingPoint place, TimeSpan meetWithin, TimeSpan answerWithin, CancellationToken cancel) => throw new PlatformNotSupportedException(Missing);

    private static void SumNow(IReadOnlyList<Tensor> tensors) => throw new PlatformNotSupportedException(Missing);

    private static void BroadcastNow(Tensor tensor) => throw new PlatformNotSupportedException(Missing);
}
