using System.Runtime.InteropServices;
using System.Text;
using DmlPipeline.Torch.Binding;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

public sealed unsafe partial class ProcessGroup
{
    private nint native;

    /// <summary>From now on the module's batch normalisation trains on the batch of all processes, as if it were one.</summary>
    public void SynchroniseBatchNorm(nn.Module module)
    {
        if (IsSolo) return;
        foreach (var layer in module.modules().OfType<BatchNorm>()) layer.Processes = this;
    }

    /// <summary>Leaves the group; whoever waits for this process gets an error.</summary>
    public void Dispose()
    {
        var held = Interlocked.Exchange(ref native, 0);
        if (held != 0) Native.Check(Native.dml_group_release(held));
    }

    internal Tensor BatchNorm(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, double momentum, double eps)
    {
        nint result = 0;
        Together(() =>
        {
            nint normalised;
            Native.Check(Native.dml_group_batch_norm(
                Held, input.Handle, weight?.Handle ?? 0, bias?.Handle ?? 0, runningMean?.Handle ?? 0, runningVar?.Handle ?? 0, momentum, eps, &normalised));
            result = normalised;
        });
        GC.KeepAlive((input, weight, bias, runningMean, runningVar));
        return new Tensor(result);
    }

    private nint Held => native != 0 ? native : throw new ObjectDisposedException(nameof(ProcessGroup));

    private void Enter(MeetingPoint place, TimeSpan meetWithin, TimeSpan answerWithin, CancellationToken cancel)
    {
        var flag = (int*)NativeMemory.AllocZeroed(sizeof(int));
        try
        {
            using var raise = cancel.UnsafeRegister(_ => Volatile.Write(ref *flag, 1), state: null);
            fixed (byte* file = Utf8(place.File))
            fixed (byte* host = Utf8(place.Host))
            fixed (byte* network = Utf8(place.Network))
            {
                nint joined;
                Native.Check(Native.dml_group_join(
                    file, host, place.Port, place.IsHosted ? 1 : 0, network, Rank, Size,
                    (long)meetWithin.TotalMilliseconds, (long)answerWithin.TotalMilliseconds, flag, &joined));
                native = joined;
            }
        }
        finally
        {
            NativeMemory.Free(flag);
        }
    }

    private void SumNow(IReadOnlyList<Tensor> tensors)
    {
        var handles = new nint[tensors.Count];
        for (var i = 0; i < handles.Length; i++) handles[i] = tensors[i].Handle;
        fixed (nint* all = handles) Native.Check(Native.dml_group_sum(Held, all, handles.Length));
        GC.KeepAlive(tensors);
    }

    private void BroadcastNow(Tensor tensor)
    {
        Native.Check(Native.dml_group_broadcast(Held, tensor.Handle));
        GC.KeepAlive(tensor);
    }

    private static byte[] Utf8(string? text) => Encoding.UTF8.GetBytes((text ?? "") + "\0");
}
