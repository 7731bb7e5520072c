using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        private static readonly Op Detach = new("aten::detach");

        public bool requires_grad
        {
            get => Info().RequiresGrad != 0;
            set
            {
                Native.Check(Native.dml_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        /// <summary>What <see cref="backward()"/> has summed up for this leaf so far; each read makes a new handle on it.</summary>
        public Tensor? grad
        {
            get
            {
                nint found;
                Native.Check(Native.dml_grad(Handle, &found));
                GC.KeepAlive(this);
                return found == 0 ? null : new Tensor(found);
            }
            set
            {
                Native.Check(Native.dml_set_grad(Handle, value?.Handle ?? 0));
                GC.KeepAlive(value);
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public Tensor detach() => Detach.Call(this);

        public void backward() => backward(null);

        /// <summary>Adds the gradients of this tensor to the leaves that it was computed from, or to <paramref name="inputs"/> only.</summary>
        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            var output = Handle;
            var grads = Handles(grad_tensors);
            var targets = Handles(inputs);
            fixed (nint* gradPointer = grads)
            fixed (nint* targetPointer = targets)
            {
                Native.Check(Native.dml_backward(
                    &output, 1, gradPointer, grads.Length, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, targetPointer, targets.Length));
            }
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
            GC.KeepAlive(this);
        }

        private static nint[] Handles(IList<Tensor>? tensors) => tensors is null ? [] : [.. tensors.Select(t => t.Handle)];
    }
}
