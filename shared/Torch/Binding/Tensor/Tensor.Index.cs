using System.Runtime.CompilerServices;
using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op Select = new("aten::select", "int");
        private static readonly Op Slice = new("aten::slice", "Tensor");
        private static readonly Op IndexTensor = new("aten::index", "Tensor");
        private static readonly Op IndexPut = new("aten::index_put_");

        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => At([i1]);
            set => Put([i1], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => At([i1, i2]);
            set => Put([i1, i2], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => At([i1, i2, i3]);
            set => Put([i1, i2, i3], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => At([i1, i2, i3, i4]);
            set => Put([i1, i2, i3, i4], value);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var (view, positions) = Narrowed(indices);
            if (positions is null) return view;
            using (view) return IndexTensor.Call(view, Arg.OptionalTensors(positions));
        }

        public Tensor index(params Tensor[] indices) => IndexTensor.Call(this, Arg.OptionalTensors(indices));

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            var (view, positions) = Narrowed(indices);
            using (view)
            {
                if (positions is null) view.copy_(value);
                else IndexPut.Run(view, Arg.OptionalTensors(positions), value);
            }
            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices)
        {
            IndexPut.Run(this, Arg.OptionalTensors(indices), value);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var filled = full([], value, dtype, device);
            return index_put_(filled, indices);
        }

        private Tensor At(ReadOnlySpan<long> indices)
        {
            var result = this;
            foreach (var index in indices)
            {
                var next = Select.Call(result, 0, index);
                if (!ReferenceEquals(result, this)) result.Dispose();
                result = next;
            }
            return result;
        }

        private void Put(ReadOnlySpan<long> indices, Tensor value)
        {
            using var target = At(indices);
            target.copy_(value);
        }

        // Numbers, slices and marks become views at once; tensors are collected by dimension for one gather at the end.
        private (Tensor View, Tensor?[]? Positions) Narrowed(ReadOnlySpan<TensorIndex> indices)
        {
            var used = 0;
            foreach (var index in indices)
            {
                used += index.Kind switch
                {
                    TensorIndex.IndexKind.Ellipsis or TensorIndex.IndexKind.None or TensorIndex.IndexKind.Bool => 0,
                    TensorIndex.IndexKind.Tensor when index.Positions!.dtype is ScalarType.Bool => (int)index.Positions.ndim,
                    _ => 1,
                };
            }
            var view = alias();
            var positions = new List<Tensor?>();
            long dim = 0;
            foreach (var index in indices)
            {
                switch (index.Kind)
                {
                    case TensorIndex.IndexKind.Ellipsis:
                        dim += ndim - used;
                        break;
                    case TensorIndex.IndexKind.None:
                        Step(Unsqueeze.Call(view, dim++));
                        break;
                    case TensorIndex.IndexKind.Single:
                        Step(Select.Call(view, dim, index.Start));
                        break;
                    case TensorIndex.IndexKind.Slice:
                        Step(Slice.Call(view, dim++, index.Start, index.Stop, Math.Max(1, index.Step)));
                        break;
                    case TensorIndex.IndexKind.Tensor:
                        while (positions.Count < dim) positions.Add(null);
                        positions.Add(index.Positions);
                        dim += index.Positions!.dtype is ScalarType.Bool ? index.Positions.ndim : 1;
                        break;
                    default:
                        throw new ArgumentException("A truth value is no index here: use a tensor of truth values.", nameof(indices));
                }
            }
            return (view, positions.Count == 0 ? null : [.. positions]);

            void Step(Tensor next)
            {
                view.Dispose();
                view = next;
            }
        }
    }
}
