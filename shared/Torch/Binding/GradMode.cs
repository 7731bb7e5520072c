using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>No gradients are recorded on this thread until the result is disposed. Never hold it across an await.</summary>
    public static IDisposable no_grad() => new GradModeGuard(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradModeGuard(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradModeGuard(mode);

    /// <summary>As <see cref="no_grad"/>, and the tensors made under it can never take part in autograd: the cheapest mode.</summary>
    public static IDisposable inference_mode(bool mode = true) => new InferenceModeGuard(mode);

    public static bool is_grad_enabled()
    {
        int enabled;
        Native.Check(Native.dml_grad_mode(&enabled));
        return enabled != 0;
    }

    public static bool is_inference_mode_enabled()
    {
        int enabled;
        Native.Check(Native.dml_inference_mode(&enabled));
        return enabled != 0;
    }

    private sealed class GradModeGuard : IDisposable
    {
        private readonly bool before = is_grad_enabled();
        private bool ended;

        internal GradModeGuard(bool enabled) => Native.Check(Native.dml_set_grad_mode(enabled ? 1 : 0));

        public void Dispose()
        {
            if (ended) return;
            ended = true;
            Native.Check(Native.dml_set_grad_mode(before ? 1 : 0));
        }
    }

    private sealed class InferenceModeGuard : IDisposable
    {
        private readonly int thread = Environment.CurrentManagedThreadId;
        private nint guard;

        internal InferenceModeGuard(bool enabled)
        {
            nint created;
            Native.Check(Native.dml_enter_inference_mode(enabled ? 1 : 0, &created));
            guard = created;
        }

        public void Dispose()
        {
            if (guard == 0) return;
            if (thread != Environment.CurrentManagedThreadId)
                throw new InvalidOperationException("Inference mode must end on the thread that it began on: do not hold it across an await.");
            var ended = guard;
            guard = 0;
            Native.Check(Native.dml_leave_inference_mode(ended));
        }
    }
}
