using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public ScalarType dtype => (ScalarType)Info().DType;

        public DeviceType device_type => (DeviceType)Info().DeviceType;

        public int device_index => Info().DeviceIndex;

        public Device device
        {
            get
            {
                var info = Info();
                return new Device((DeviceType)info.DeviceType, info.DeviceIndex);
            }
        }

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_sparse => Info().IsSparse != 0;

        public bool is_leaf => Info().IsLeaf != 0;

        public long ndim => Info().Dim;

        public long Dimensions => Info().Dim;

        public long NumberOfElements => Info().Numel;

        public long ElementSize => Info().ElementSize;

        public long[] shape
        {
            get
            {
                var info = Info();
                var sizes = new ReadOnlySpan<long>(info.Sizes, (int)info.Dim).ToArray();
                GC.KeepAlive(this);
                return sizes;
            }
        }

        /// <summary>The whole contents of a contiguous tensor in the processor's memory.</summary>
        public Span<byte> bytes
        {
            get
            {
                var info = DataInfo();
                if (info.IsContiguous == 0) throw new InvalidOperationException("The tensor is not contiguous: call contiguous() first.");
                return new Span<byte>(info.Data, checked((int)(info.Numel * info.ElementSize)));
            }
            set
            {
                var target = bytes;
                if (value.Length != target.Length)
                    throw new ArgumentException($"{value.Length} bytes cannot fill a tensor of {target.Length} bytes.", nameof(value));
                value.CopyTo(target);
            }
        }

        public long dim() => Info().Dim;

        public long numel() => Info().Numel;

        public long element_size() => Info().ElementSize;

        public bool is_contiguous() => Info().IsContiguous != 0;

        public bool is_floating_point() => IsFloating(dtype);

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_integral() => dtype is ScalarType.Byte or ScalarType.Int8 or ScalarType.Int16 or ScalarType.Int32 or ScalarType.Int64 or ScalarType.Bool;

        public long[] size() => shape;

        public long size(int dim)
        {
            var info = Info();
            var size = info.Sizes[Position(dim, info.Dim)];
            GC.KeepAlive(this);
            return size;
        }

        public long[] stride()
        {
            var info = Info();
            var strides = new ReadOnlySpan<long>(info.Strides, (int)info.Dim).ToArray();
            GC.KeepAlive(this);
            return strides;
        }

        public long stride(int dim)
        {
            var info = Info();
            var stride = info.Strides[Position(dim, info.Dim)];
            GC.KeepAlive(this);
            return stride;
        }

        public override string ToString()
        {
            var info = Info();
            var sizes = string.Join('x', new ReadOnlySpan<long>(info.Sizes, (int)info.Dim).ToArray());
            GC.KeepAlive(this);
            return $"[{sizes}], type = {(ScalarType)info.DType}, device = {new Device((DeviceType)info.DeviceType, info.DeviceIndex)}";
        }

        internal TensorInfo Info()
        {
            TensorInfo info;
            Native.Check(Native.dml_info(Handle, 0, &info));
            GC.KeepAlive(this);
            return info;
        }

        /// <summary>As <see cref="Info"/>, with the address of the data, which must lie in the processor's memory.</summary>
        internal TensorInfo DataInfo()
        {
            TensorInfo info;
            Native.Check(Native.dml_info(Handle, 1, &info));
            GC.KeepAlive(this);
            if ((DeviceType)info.DeviceType != DeviceType.CPU)
                throw new InvalidOperationException("The tensor is not in the processor's memory: call cpu() first.");
            return info;
        }

        private static long Position(long dim, long dims) => dim < -dims || dim >= dims
            ? throw new ArgumentOutOfRangeException(nameof(dim), $"Dimension {dim} does not exist in a tensor of {dims} dimensions.")
            : dim < 0 ? dim + dims : dim;
    }
}
