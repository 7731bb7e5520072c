using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.ThreadSingleton.CurrentDisposeScope;

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.ThreadSingleton.NewDisposeScope();

    /// <summary>
    /// A libtorch tensor. Dispose it, or make it inside a dispose scope: the finaliser is only a safety net, since the garbage
    /// collector sees a few bytes where megabytes hang on them.
    /// </summary>
    public unsafe partial class Tensor : IDisposable
    {
        private static long totalCount;
        private static long peakCount;

        private nint handle;

        internal Tensor(nint handle, bool register = true)
        {
            this.handle = handle;
            var total = Interlocked.Increment(ref totalCount);
            if (total > peakCount) peakCount = total; // a racing thread may lose its peak: the number is for people
            if (register) DisposeScopeManager.ThreadSingleton.Register(this);
        }

        ~Tensor() => Dispose(false);

        /// <summary>Tensors alive in the process.</summary>
        public static long TotalCount => Interlocked.Read(ref totalCount);

        public static long PeakCount => Interlocked.Read(ref peakCount);

        public IntPtr Handle => handle != 0 ? handle : throw new InvalidOperationException("The tensor is disposed.");

        public bool IsInvalid => handle == 0;

        public string? name { get; set; }

        internal DisposeScope? OwningDisposeScope { get; set; }

        /// <summary>Where the owning scope lists this tensor.</summary>
        internal int ScopeSlot { get; set; } = -1;

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is null) other?.Attach(this);
            else OwningDisposeScope.MoveToOther(other, this);
            return this;
        }

        /// <summary>A second handle on the same tensor.</summary>
        public Tensor alias()
        {
            nint copy;
            Native.Check(Native.dml_alias(Handle, &copy));
            GC.KeepAlive(this);
            return new Tensor(copy);
        }

        /// <summary>Gives the handle away: whoever takes it releases it.</summary>
        internal nint MoveHandle()
        {
            var moved = Handle;
            handle = 0;
            Interlocked.Decrement(ref totalCount);
            GC.SuppressFinalize(this);
            return moved;
        }

        /// <summary>Puts another tensor behind this object, which keeps its identity (a parameter that moves to another device).</summary>
        internal void ReplaceHandle(Tensor replacement)
        {
            replacement.DetachFromDisposeScope();
            var old = handle;
            handle = replacement.MoveHandle();
            if (old != 0) Native.Check(Native.dml_release(old));
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var released = Interlocked.Exchange(ref handle, 0);
            if (released == 0) return;
            // The finaliser runs on a thread of its own, whose scopes and counts are not this tensor's.
            if (disposing) DisposeScopeManager.ThreadSingleton.Disposing(this);
            Interlocked.Decrement(ref totalCount);
            var error = Native.dml_release(released);
            if (disposing) Native.Check(error);
        }
    }
}
